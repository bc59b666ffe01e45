/** One call of a notifier: within a time, and with an outcome for every event whatever it does. */

import { textOf } from "../../tracker/logger.ts";
import type { Batch, Notifier, Outcome } from "../notifier.ts";
import type { DeliveryClock } from "./clock.ts";

interface Telling {
  readonly clock: DeliveryClock;
  readonly timeoutMs: number;
  /** Ends it: the process does not wait for the answer any more. */
  readonly signal: AbortSignal;
}

/** Undefined when `signal` ended it: then nobody knows what was taken. */
export async function tell(
  notifier: Notifier,
  batch: Batch,
  { clock, timeoutMs, signal }: Telling,
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
    return await Promise.race([ended, answerOf(notifier, batch, ending.signal)]);
  } finally {
    cancel();
  }
}

async function answerOf(notifier: Notifier, batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]> {
  try {
    const outcomes: unknown = await notifier.notify(batch, { signal });
    const given = Array.isArray(outcomes) ? (outcomes as readonly unknown[]) : [];
    return batch.events.map((_event, index) => (isOutcome(given[index]) ? given[index] : NO_OUTCOME));
  } catch (error) {
    return forAll(batch, { status: "retry", code: codeOf(error), message: textOf(error) });
  }
}

const NO_OUTCOME: Outcome = {
  status: "retry",
  code: "NO_OUTCOME",
  message: "the notifier did not say what became of it",
};

const forAll = ({ events }: Batch, outcome: Outcome): readonly Outcome[] => events.map(() => outcome);

const isOutcome = (value: unknown): value is Outcome =>
  ["delivered", "retry", "refused"].includes((value as { status?: unknown } | null | undefined)?.status as string);

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "FAILED";
}
