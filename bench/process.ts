/** What Milepost costs a process: the time to import it, and memory. */

import { execFileSync } from "node:child_process";

import { inTurns, row, spread, title, type Series } from "./measure.ts";

const node = (code: string): string =>
  execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", code], {
    cwd: new URL("..", import.meta.url),
    encoding: "utf8",
  });

/** Run on the built package, as its users import it. */
export async function importing(): Promise<void> {
  title("Importing milepost (the built package) over bare Node");
  const timed = (code: string) => (): number => {
    const start = process.hrtime.bigint();
    node(code);
    return Number(process.hrtime.bigint() - start);
  };
  const series = await inTurns(
    { bare: timed(""), milepost: timed('await import("./dist/index.js")') },
    { rounds: 15, count: 1 },
  );
  const over: Series = series.milepost.map((value, round) => value - (series.bare[round] as number));
  row("bare Node, ms", spread(series.bare, 1e6));
  row("with milepost, over bare, ms", spread(over, 1e6), "under 20");
}

export function memoryOfTasks(): void {
  title("Memory of 100,000 running tasks");
  const [heap = 0, rss = 0] = node(`
    import { memory, ProgressTracker } from "./dist/index.js";
    import { mkdtempSync, rmSync } from "node:fs";
    import { tmpdir } from "node:os";
    import { join } from "node:path";
    const folder = mkdtempSync(join(tmpdir(), "milepost-bench-"));
    gc(); const before = process.memoryUsage();
    const tracker = new ProgressTracker({ upgradeId: "u", planId: "p", clusterName: "c", storagePath: folder });
    tracker.startUpgrade();
    for (let i = 0; i < 100_000; i++) { tracker.addTask("task-" + i, "Drain node " + i); tracker.startTask("task-" + i); }
    await tracker.flush(); gc();
    const after = process.memoryUsage();
    console.log(after.heapUsed - before.heapUsed, after.rss - before.rss);
    await tracker.close(); rmSync(folder, { recursive: true });
  `)
    .trim()
    .split(" ")
    .map(Number);
  row("heap after collection, MB", (heap / 2 ** 20).toFixed(1));
  row("resident, MB", (rss / 2 ** 20).toFixed(1));
}
