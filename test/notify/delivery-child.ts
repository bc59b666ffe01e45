/**
 * Reports without end and delivers what it reports, until it is killed: `delivery-child.ts <path> <how>`. Each event that its
 * notifier is given it says, `got <id>`, before it answers. `how`: `random` waits for the kill; `before-save` kills itself
 * between an answer and the record of it, now and then.
 */

import { writeSync } from "node:fs";

import { Delivery } from "../../src/notify/delivery.ts";
import type { Notifier } from "../../src/notify/notifier.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";

/** When it dies. */
export type Death = "random" | "before-save";

const [path = "", how = "random" satisfies Death] = process.argv.slice(2);
const say = (line: string): number => writeSync(1, `${line}\n`);

const notifier: Notifier = {
  name: "receiver",
  kind: "scripted",
  limits: { maxEvents: 5, maxBytes: 100_000 },
  notify: async ({ events }) => {
    for (const { id } of events) say(`got ${id}`);
    // One event in twelve is refused: it must be a dead letter, whenever the process dies.
    return events.map(({ seq }) =>
      seq % 12 === 0 ? { status: "refused", code: "NO", message: "not this one" } : { status: "delivered" },
    );
  },
  check: async () => undefined,
  close: async () => undefined,
};

const disk = jsonLines({ path });
let saves = 0;
const fatal = 3 + Math.floor(Math.random() * 40);
const storage = {
  ...disk,
  deliveries: (upgradeId: string) => {
    const store = disk.deliveries(upgradeId);
    return {
      ...store,
      save: async (name: string, text: string) => {
        if (how === "before-save" && ++saves === fatal) process.kill(process.pid, "SIGKILL");
        await store.save(name, text);
      },
    };
  },
};

const tracker = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storagePath: path });
tracker.startUpgrade();
tracker.addTask("a", "a");
new Delivery({ notifier, storage, upgradeId: "up", fromRun: 1 }).start();
const report = (): void => {
  for (let i = 0; i < 3; i++) tracker.appendLog("a", "line");
  setTimeout(report, 1);
};
report();
say("ready");
