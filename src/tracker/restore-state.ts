/** The state of a log: from its snapshot when there is a usable one, and the events behind it. */

import { firstCursor } from "../model/cursor.ts";
import type { ProgressEvent } from "../model/event.ts";
import { evolve } from "../model/evolve.ts";
import {
  emptyUpgrade,
  MODEL_VERSION,
  upgradeFromJson,
  type UpgradeJson,
  type UpgradeProgress,
} from "../model/upgrade.ts";
import { parseLine, splitLines } from "../storage/line.ts";
import type { LineBatch, LogReader, StoredSnapshot } from "../storage/storage.ts";
import type { Steps } from "./steps.ts";

/** The JSON text of a state, in parts small enough that none of them stalls the event loop. */
export function* stateParts(state: UpgradeProgress): Generator<string, undefined> {
  const { tasks, ...head } = state;
  yield `{\n"model":${MODEL_VERSION},\n${JSON.stringify(head, null, 1).slice(2, -2)},\n "tasks":[`;
  const batch: string[] = [];
  let separator = "\n";
  for (const task of tasks.values()) {
    batch.push(JSON.stringify(task, null, 1));
    if (batch.length < TASKS_PER_PART) continue;
    yield separator + batch.join(",\n");
    separator = ",\n";
    batch.length = 0;
  }
  if (batch.length > 0) yield separator + batch.join(",\n");
  yield "\n]}";
  return undefined;
}

const TASKS_PER_PART = 500;

/** The state in a snapshot, or undefined when another version of the model wrote it. */
function stateFromSnapshot(snapshot: StoredSnapshot): UpgradeProgress | undefined {
  const { model, ...json } = JSON.parse(snapshot.text) as UpgradeJson & { readonly model: number };
  return model === MODEL_VERSION ? upgradeFromJson(json) : undefined;
}

/**
 * Reads the log from the reader's beginning to its end and folds it.
 *
 * @param onEvent - sees every event that is read.
 * @throws what the reader throws: CORRUPT, CURSOR_GONE.
 */
export function* foldLog(
  reader: LogReader,
  onEvent: (event: ProgressEvent) => void = () => undefined,
): Steps<UpgradeProgress> {
  const snapshot = (yield reader.snapshot()) as StoredSnapshot | undefined;
  let state = snapshot && stateFromSnapshot(snapshot);
  if (state === undefined) {
    yield reader.seek(0);
    const { logId, upgradeId, run } = reader.header;
    state = emptyUpgrade({ upgradeId, planId: "", clusterName: "" }, { cursor: firstCursor(logId), run });
  }
  return yield* foldOn(reader, state, onEvent);
}

/** Folds on from `state` to the reader's present end. */
function* foldOn(
  reader: LogReader,
  from: UpgradeProgress,
  onEvent: (event: ProgressEvent) => void = () => undefined,
): Steps<UpgradeProgress> {
  let state = from;
  for (;;) {
    const batch = (yield reader.read()) as LineBatch | undefined;
    if (batch === undefined) return state;
    for (const line of splitLines(batch.bytes)) {
      const event = parseLine(line);
      state = evolve(state, event);
      onEvent(event);
    }
  }
}
