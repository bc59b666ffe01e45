/** A process that records a large upgrade: first what has happened before somebody looks, then, when it is told to, on and on. */

import { once } from "node:events";

import { ProgressTracker } from "milepost";

import { atPace } from "./at-pace.ts";

const GROUPS = 100;
const NODES = 100;

const [storagePath = "", eventsBefore = "0", perSecond = "0", seconds = "0"] = process.argv.slice(2);

const tracker = new ProgressTracker({ upgradeId: "large", planId: "1.34", clusterName: "large", storagePath });
tracker.startUpgrade("Node groups");
for (let group = 0; group < GROUPS; group++) {
  tracker.addTask(`g${group}`, `Node group ${group}`, "upgrade_step", { unit: "nodes" });
  for (let node = 0; node < NODES - 1; node++)
    tracker.addTask(`g${group}-${node}`, `ip-10-${group}-0-${node}`, "upgrade_step", { parentTaskId: `g${group}` });
}

let turn = 0;
/**
 * Each node in its turn is drained in a hundred steps, some twenty of them at a time, with a line of log now and then. At a hundred
 * events a second that takes hours: what a state grows by, as its tasks get their times and messages, is not what is measured.
 */
const STEPS = 100;

function report(): void {
  const lane = turn % 20;
  const step = Math.floor(turn / 20);
  const node = Math.floor(step / STEPS) * 20 + lane;
  const taskId = `g${Math.floor(node / 99) % GROUPS}-${node % 99}`;
  turn += 1;
  if (tracker.progress.tasks.get(taskId)?.status === "completed") return;
  const part = step % STEPS;
  if (part === 0) tracker.startTask(taskId, "cordoned");
  else if (part === STEPS - 1) tracker.completeTask(taskId, "replaced");
  else if (part % 10 === 5) tracker.appendLog(taskId, `evicting pod shop/checkout-${node}\n`);
  else tracker.updateTaskProgress(taskId, part, `evicting pods, ${STEPS - part} left`);
}

for (let index = 0; index < Number(eventsBefore); index++) report();
await tracker.flush();
process.send?.("ready");
await once(process, "message");
await atPace(perSecond, seconds, report);
await tracker.close();
process.disconnect();
