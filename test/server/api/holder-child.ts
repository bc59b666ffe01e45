/** Holds the upgrade u1 of the storage in the folder given, until it is killed. */

import { ProgressTracker } from "../../../src/progress-tracker.ts";

const [, , storagePath = ""] = process.argv;
const open = (): ProgressTracker | undefined => {
  try {
    return new ProgressTracker({ upgradeId: "u1", planId: "u1", clusterName: "prod", storagePath });
  } catch {
    // The server that has begun it still holds it.
    return undefined;
  }
};
let tracker = open();
while (tracker === undefined) {
  await new Promise((wake) => setTimeout(wake, 50));
  tracker = open();
}
while ((await tracker.storage.driver.holder("u1"))?.socket === undefined)
  await new Promise((wake) => setTimeout(wake, 10));
process.stdout.write("holds\n");
process.stdin.resume();
