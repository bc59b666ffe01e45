/** A process that records a large upgrade: first what has happened before somebody looks, then, when it is told to, on and on. */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { ProgressTracker } from "milepost";

const GROUPS = 100;
const NODES = 100;
/** A timer that is late makes up for it. */
const TICK_MS = 10;

const [storagePath = "", eventsBefore = "0", perSecond = "0", seconds = "0"] = process.argv.slice(2);

const tracker = new ProgressTracker({ upgradeId: "large", planId: "1.34", clusterName: "large", storagePath });
tracker.startUpgrade("Node groups");
for (let group = 0; group < GROUPS; group++) {
  tracker.addTask(`g${group}`, `Node group ${group}`, "upgrade_step", { unit: "nodes" });
  for (let node = 0; node < NODES - 1; node++)
    tracker.addTask(`g${group}-${node}`, `ip-10-${group}-0-${node}`, "upgrade_step", { parentTaskId: `g${group}` });
}

let turn = 0;
/** Each node in its turn is drained in ten steps, some twenty of them at a time, with a line of log now and then. */
function report(): void {
  const lane = turn % 20;
  const step = Math.floor(turn / 20);
  const node = Math.floor(step / 10) * 20 + lane;
  const taskId = `g${Math.floor(node / 99) % GROUPS}-${node % 99}`;
  turn += 1;
  if (tracker.progress.tasks.get(taskId)?.status === "completed") return;
  const part = step % 10;
  if (part === 0) tracker.startTask(taskId, "cordoned");
  else if (part === 9) tracker.completeTask(taskId, "replaced");
  else if (part === 5) tracker.appendLog(taskId, `evicting pod shop/checkout-${node}\n`);
  else tracker.updateTaskProgress(taskId, part * 11, `evicting pods, ${9 - part} left`);
}

for (let index = 0; index < Number(eventsBefore); index++) report();
await tracker.flush();
process.send?.("ready");
await once(process, "message");
const began = performance.now();
let told = 0;
for (;;) {
  const passed = (performance.now() - began) / 1000;
  if (passed >= Number(seconds)) break;
  for (const due = Math.floor(passed * Number(perSecond)); told < due; told++) report();
  await sleep(TICK_MS);
}
await tracker.close();
process.disconnect();
