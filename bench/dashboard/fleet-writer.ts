/** A process that records many upgrades at once, and then, when it is told to, changes each of them in its turn. */

import { once } from "node:events";

import { ProgressTracker } from "milepost";

import { atPace } from "./at-pace.ts";

const CLUSTERS = 40;
const TASKS = 20;

const [storagePath = "", upgrades = "0", perSecond = "0", seconds = "0"] = process.argv.slice(2);

const trackers: ProgressTracker[] = [];
for (let index = 0; index < Number(upgrades); index++) {
  const clusterName = `shop-${index % CLUSTERS}`;
  const tracker = new ProgressTracker({ upgradeId: `upgrade-${index}`, planId: "1.34", clusterName, storagePath });
  tracker.startUpgrade("Node groups");
  for (let task = 0; task < TASKS; task++) tracker.addTask(`t${task}`, `Node ${task}`);
  tracker.startTask("t0");
  await tracker.flush();
  trackers.push(tracker);
}
process.send?.("ready");
await once(process, "message");

let turn = 0;
function report(): void {
  const round = Math.floor(turn / trackers.length);
  const tracker = trackers[turn % trackers.length] as ProgressTracker;
  const [task, part] = [Math.floor(round / 4) % TASKS, round % 4];
  turn += 1;
  if (tracker.progress.tasks.get(`t${task}`)?.status === "completed") return;
  if (part < 3) tracker.updateTaskProgress(`t${task}`, 20 + part * 25, `evicting pods, ${3 - part} left`);
  else tracker.completeTask(`t${task}`);
}

await atPace(perSecond, seconds, report);
await Promise.all(trackers.map((tracker) => tracker.close()));
process.disconnect();
