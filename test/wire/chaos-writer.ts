/** A writer process: `chaos-writer.ts <folder> <events a second> <seconds>`. Says its last cursor at the end. */

import { ProgressTracker } from "milepost";

const [path = "", perSecond = "200", seconds = "20"] = process.argv.slice(2);
const tracker = new ProgressTracker({ upgradeId: "up", planId: "plan", clusterName: "cluster", storagePath: path });
tracker.startUpgrade();
for (let n = 0; n < 20; n++) {
  tracker.addTask(`task-${n}`, `Task ${n}`);
  tracker.startTask(`task-${n}`);
}
process.stdout.write("begun\n");

const started = performance.now();
let written = 0;
const timer = setInterval(() => {
  const due = Math.min(Number(seconds), (performance.now() - started) / 1_000) * Number(perSecond);
  for (; written < due; written++) {
    const taskId = `task-${written % 20}`;
    if (written % 50 === 49) {
      tracker.pauseTask(taskId, `pause ${written}`);
      tracker.resumeTask(taskId);
    } else tracker.updateTaskProgress(taskId, (written % 990) / 10, `${written} ${"x".repeat(written % 300)}`);
  }
  if (written < Number(perSecond) * Number(seconds)) return;
  clearInterval(timer);
  void tracker.flush().then(() => process.stdout.write(`end ${tracker.progress.cursor}\n`));
}, 5);
// The lock is kept until the process is ended.
process.stdin.on("end", () => void tracker.close().then(() => process.exit(0))).resume();
