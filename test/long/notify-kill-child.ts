/**
 * An agent with a webhook and a bus: `notify-kill-child.ts <path> <url of the webhook> <work>`. `report` reports without end and is
 * told of by its tracker; `tell` says `ready`, waits for a line, tells what the log holds and ends.
 */

import { once } from "node:events";

import { ProgressTracker } from "milepost";
import { EventBridgeNotifier, webhook, type Notifier } from "milepost/notifiers";

import { Delivery } from "../../src/notify/delivery.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";

const [path = "", url = "", work = ""] = process.argv.slice(2);
const TASKS = ["a", "b", "c", "d", "e"];
const hook = (): Notifier =>
  webhook({ url, secrets: [`whsec_${Buffer.alloc(32, 7).toString("base64")}`], allowedAddresses: ["127.0.0.1"] });

if (work === "report") {
  const tracker = new ProgressTracker({
    ...{ upgradeId: "up", planId: "p", clusterName: "c", storagePath: path },
    notifiers: [hook(), new EventBridgeNotifier({ busName: "b" })],
    rules: [{ events: ["*"] }],
  });
  tracker.startUpgrade();
  for (const task of TASKS) tracker.addTask(task, task);
  for (let burst = 0; burst < 7; burst++) for (const task of TASKS) tracker.appendLog(task, "line");
  const report = (): void => {
    for (const task of TASKS) tracker.appendLog(task, "line");
    setTimeout(report, 5);
  };
  report();
  console.log("ready");
} else {
  const delivery = new Delivery({ notifier: hook(), storage: jsonLines({ path }), upgradeId: "up", fromRun: 1 });
  console.log("ready");
  await once(process.stdin, "data");
  delivery.start();
  await delivery.drain(30_000);
  await delivery.close();
  console.log("whole");
  process.exit();
}
