/**
 * A long log and a webhook that is told of it: `notify-behind-child.ts <path> <events> <port>`. With a number of events it writes
 * them and ends; with 0 it tells while nobody listens for an hour of its clock, says `behind <heap> <rss>` in bytes, waits for a
 * line and then tells until it is killed.
 */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { webhook } from "milepost/notifiers";

import { Delivery } from "../../src/notify/delivery.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { manualDeliveryClock } from "../notify/scripted-notifier.ts";

const [path = "", events = "", port = ""] = process.argv.slice(2);
const TASKS = 20;
const HOUR_MS = 3_600_000;

async function write(count: number): Promise<void> {
  const ids = { upgradeId: "up", planId: "p", clusterName: "c", storagePath: path };
  const tracker = new ProgressTracker({ ...ids, syncIntervalMs: HOUR_MS });
  tracker.startUpgrade();
  for (let task = 0; task < TASKS; task++) tracker.addTask(`t${task}`, `Drain node ${task}`);
  for (let n = 0; n < count; n++) {
    tracker.appendLog(`t${n % TASKS}`, `pod ${n} is evicted`);
    if (n % 5_000 === 0) await sleep(0);
  }
  await tracker.close();
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

if (Number(events) > 0) {
  await write(Number(events));
  process.exit();
}
const clock = manualDeliveryClock();
const notifier = webhook({
  url: `http://127.0.0.1:${port}/`,
  secrets: [`whsec_${Buffer.alloc(32, 7).toString("base64")}`],
  allowedAddresses: ["127.0.0.1"],
});
const delivery = new Delivery({ notifier, storage: jsonLines({ path }), upgradeId: "up", fromRun: 1, clock });
delivery.start();
for (let passed = 0; passed < HOUR_MS; passed += 10_000) {
  clock.pass(10_000);
  await sleep(10);
}
for (let n = 0; n < 3; n++) {
  collect();
  await sleep(50);
}
const { heapUsed, rss } = process.memoryUsage();
console.log(`behind ${heapUsed} ${rss} ${delivery.status.waiting}`);
await once(process.stdin, "data");
for (;;) {
  clock.pass(1_000);
  await sleep(20);
}
