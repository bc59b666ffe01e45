/** What is shown before there is anything to show: how to begin. */

import type { ComponentChild } from "preact";

import { CodeBlock } from "../parts/code-block.tsx";

const SNIPPET = `import { ProgressTracker } from "milepost";

const tracker = new ProgressTracker({
  upgradeId: "prod-1-31", planId: "1.31", clusterName: "prod",
});
tracker.startUpgrade("Preparation");
await tracker.run("drain", "Drain nodes", async (task) => {
  task.progress(40, "2 of 5 nodes");
});
tracker.completeUpgrade();
await tracker.close();`;

export function EmptyFleet(): ComponentChild {
  return (
    <div class="empty-fleet">
      <h2>No upgrade yet</h2>
      <p class="soft">
        This page shows every upgrade that is recorded here, as it happens. It needs no reload: begin one in any of
        these ways, with the same storage as this server.
      </p>
      <section>
        <h3>A command</h3>
        <CodeBlock text="milepost run -- terraform apply -auto-approve -json" what="the command" />
      </section>
      <section>
        <h3>An agent in Node</h3>
        <CodeBlock text={SNIPPET} what="the code" />
      </section>
      <section>
        <h3>Only to look</h3>
        <CodeBlock text="milepost demo" what="the command" />
        <p class="soft">A rehearsal: no cluster is touched.</p>
      </section>
    </div>
  );
}
