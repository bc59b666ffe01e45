/** A log from before ids had to be such as can be seen. */

import { ProgressTracker } from "../../../src/progress-tracker.ts";
import { LineEncoder } from "../../../src/storage/line.ts";
import { memory } from "../../../src/storage/memory.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { begun } from "../../contracts/log-lines.ts";
import { storedEvents } from "../../faults/stored.ts";

/** An upgrade and a task called " ", as they could be begun once. */
export async function recordUnseen(storage: Storage): Promise<void> {
  const copied = memory();
  const tracker = new ProgressTracker({ upgradeId: "u", planId: "p", clusterName: "c", storage: copied });
  tracker.startUpgrade();
  tracker.addTask("t", "Drain");
  tracker.startTask("t");
  await tracker.close();
  const writer = await begun(storage.openWriter(" "));
  const { logId } = writer.header;
  for (const event of storedEvents(copied, "u")) {
    const own = { ...event, upgradeId: " ", cursor: event.cursor.replace(/^[^.]+/, logId) };
    const unseen = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [name, /^(clusterName|planId|taskId)$/.test(name) ? " " : value]),
    );
    const line = JSON.stringify("logId" in unseen ? { ...unseen, logId } : unseen);
    await writer.append(event.seq - 1, new LineEncoder().encode(line), event.seq);
  }
  await writer.close();
}
