/** The newest events of one task, read back from the log: the state holds no history. */

import type { ProgressEvent } from "../model/event.ts";
import type { Task } from "../model/task.ts";
import { parseLine, splitLines } from "../storage/line.ts";
import type { LineBatch, LogReader, Storage } from "../storage/storage.ts";
import type { EventLog } from "./event-log.ts";
import type { Steps } from "./steps.ts";

const RECENT = 5;
/** How far back of the task's last event this looks. */
const LOOK_BACK_EVENTS = 1_000;

/** At most five, oldest first. */
export function* recentEvents(storage: Storage, log: EventLog, task: Task): Steps<readonly ProgressEvent[]> {
  const found: ProgressEvent[] = [];
  const isOfTask = (event: ProgressEvent): boolean => "taskId" in event && event.taskId === task.taskId;
  const reader = (yield storage.openReader(log.state.upgradeId)) as LogReader | undefined;
  if (reader !== undefined) {
    try {
      yield reader.seek(Math.max(0, Math.min(task.lastSeq - LOOK_BACK_EVENTS, log.state.seq)));
      for (let isMore = true; isMore;) {
        const batch = (yield reader.read()) as LineBatch | undefined;
        for (const line of splitLines(batch?.bytes ?? new Uint8Array())) {
          const event = parseLine(line);
          if (event.seq <= task.lastSeq && isOfTask(event)) found.push(event);
        }
        isMore = batch !== undefined && batch.lastSeq < task.lastSeq;
      }
    } finally {
      reader.close();
    }
  }
  for (const event of log.queuedAfter(found.at(-1)?.seq ?? 0)) if (isOfTask(event)) found.push(event);
  return found.slice(-RECENT);
}
