/** One call of a notifier: within a time, and with an outcome for every event whatever it does. */

import type { Batch, Notifier, NotifierMemory, NotifyOptions, Outcome } from "../notifier.ts";
import type { DeliveryClock } from "./clock.ts";
import { failureOf, readOutcomes } from "./read-outcomes.ts";

interface Telling {
  readonly clock: DeliveryClock;
  readonly timeoutMs: number;
  /** Ends it: the process does not wait for the answer any more. */
  readonly signal: AbortSignal;
  readonly memory?: NotifierMemory;
}

/** Undefined when `signal` ended it: then nobody knows what was taken. */
export async function tell(
  notifier: Notifier,
  batch: Batch,
  { clock, timeoutMs, signal, memory }: Telling,
): Promise<readonly Outcome[] | undefined> {
  const ending = new AbortController();
  let cancel: () => void = () => undefined;
  // A notifier that does not listen to its signal is not waited for either.
  const ended = new Promise<readonly Outcome[] | undefined>((resolve) => {
    const stop = (): void => {
      ending.abort(signal.reason);
      resolve(undefined);
    };
    signal.addEventListener("abort", stop, { once: true });
    const cancelTimer = clock.schedule(() => {
      const message = `no answer within ${timeoutMs} ms`;
      ending.abort(new Error(message));
      resolve(forAll(batch, { status: "retry", code: "TIMEOUT", message }));
    }, timeoutMs);
    cancel = () => {
      cancelTimer();
      signal.removeEventListener("abort", stop);
    };
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([ended, answerOf(notifier, batch, { signal: ending.signal, memory })]);
  } finally {
    cancel();
  }
}

async function answerOf(notifier: Notifier, batch: Batch, options: NotifyOptions): Promise<readonly Outcome[]> {
  try {
    return readOutcomes(await notifier.notify(batch, options), batch.events.length);
  } catch (error) {
    return forAll(batch, failureOf(error));
  }
}

const forAll = ({ events }: Batch, outcome: Outcome): readonly Outcome[] => events.map(() => outcome);
