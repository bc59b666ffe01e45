/** Folding a long log without stalling the event loop. */

import type { UpgradeProgress } from "../model/upgrade.ts";
import type { LogReader } from "../storage/storage.ts";
import { foldLog } from "../tracker/restore-state.ts";

/** Resolves in the next turn of the event loop, after what else is waiting for it. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** The state of a whole log; the reader then stands at its end. @throws CORRUPT, CURSOR_GONE. */
export async function foldInTurns(reader: LogReader): Promise<UpgradeProgress> {
  const steps = foldLog(reader);
  for (let step = steps.next(); ;) {
    if (step.done === true) return step.value;
    let value: unknown;
    try {
      value = await step.value;
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    await nextTurn();
    step = steps.next(value as never);
  }
}
