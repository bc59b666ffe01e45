/**
 * One procedure for storages that answer at once and for those that answer later: it yields what may be a promise, and is run
 * by one of these two.
 */

import { MilepostError } from "../errors.ts";

export type Steps<T> = Generator<unknown, T, never>;

/** Runs the steps now. @throws ASYNC_STORAGE when one of them is a promise. */
export function runNow<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ;) {
    if (step.done === true) return step.value;
    if (step.value instanceof Promise) {
      step.value.catch(() => undefined);
      throw new MilepostError(
        "ASYNC_STORAGE",
        "this storage answers asynchronously; use `await ProgressTracker.open(options)`",
      );
    }
    step = steps.next(step.value as never);
  }
}

/**
 * Runs the steps, waiting for those that are promises.
 *
 * @param rest - is waited for after each step, with what it gave.
 */
export async function runAwaiting<T>(steps: Steps<T>, rest?: (value: unknown) => Promise<void>): Promise<T> {
  for (let step = steps.next(); ;) {
    if (step.done === true) return step.value;
    let value: unknown;
    try {
      value = await step.value;
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    await rest?.(value);
    step = steps.next(value as never);
  }
}
