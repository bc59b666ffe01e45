import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, it, onTestFinished } from "vitest";

import type { Batch, Notifier } from "../../src/notify/notifier.ts";
import { webhook } from "../../src/notify/webhook.ts";
import { add, begin, fail, finish, start, story } from "../view/story.ts";
import { receiver } from "./receivers.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const SIGNAL = { signal: new AbortController().signal };
const LOCAL = { secrets: [SECRET], allowedAddresses: ["127.0.0.1"] };
const { state, events } = story([
  [0, start("Nodes"), add("ng-1"), add("ng-2", { taskName: "Drain node group ng-2" }), begin("ng-1"), begin("ng-2")],
  [60, finish("ng-1")],
  [250, fail("ng-2", "3 pods cannot be evicted")],
]);
const FAILED: Batch = { state, events: events.slice(-1) };

const tell = async (notifier: Notifier, batch: Batch): Promise<void> => {
  const outcomes = await notifier.notify(batch, SIGNAL);
  expect(outcomes.every(({ status }) => status === "delivered")).toBe(true);
};

it("the page shows what arrives", async () => {
  const page = readFileSync(`${ROOT}docs/notify-webhook.md`, "utf8");
  for (const format of ["standard", "cloudevents"] as const) {
    const { origin, requests } = await receiver();
    await tell(webhook({ url: origin, format, ...LOCAL }), FAILED);
    const [, shown = ""] = new RegExp(`<!-- body: ${format} -->\\n+\`\`\`json\\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
    expect(JSON.parse(shown)).toEqual(JSON.parse(requests[0]!.body));
  }
});

it("the example receives each event once, and nothing that is not signed", async () => {
  const child = spawn(process.execPath, ["--conditions=milepost-source", "examples/receive-webhook.ts", "0"], {
    cwd: ROOT,
    env: { ...process.env, MILEPOST_WEBHOOK_SECRET: SECRET },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  const output: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  const url = first.toString().trim();
  await tell(webhook({ url, ...LOCAL }), { state, events: [...FAILED.events, ...FAILED.events] });
  const stranger = webhook({ url, ...LOCAL, secrets: [SECRET.replace("Bw", "Cw")] });
  expect(await stranger.notify(FAILED, SIGNAL)).toMatchObject([{ code: "HTTP_401" }]);
  child.kill();
  await once(child, "close");
  expect(output.join("")).toBe("error task.failed Drain node group ng-2 failed (4m 10s): 3 pods cannot be evicted\n");
});
