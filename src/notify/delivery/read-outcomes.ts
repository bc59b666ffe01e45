/** What a notifier answered, made into outcomes. Notifiers are anybody's code: nothing that they give may stop a delivery. */

import { textOf } from "../../tracker/logger.ts";
import type { Outcome } from "../notifier.ts";

const NO_OUTCOME: Outcome = {
  status: "retry",
  code: "NO_OUTCOME",
  message: "the notifier did not say what became of it",
};
const MAX_CODE = 100;

/** One outcome for each of `count` events; what is none is worth another try. */
export function readOutcomes(answer: unknown, count: number): readonly Outcome[] {
  return Array.from({ length: count }, (_, place) => {
    try {
      return readOutcome((answer as readonly unknown[])[place]);
    } catch {
      return NO_OUTCOME;
    }
  });
}

/** The outcome of a call that was rejected. */
export function failureOf(error: unknown): Outcome {
  return { status: "retry", code: codeOf(error), message: textOf(error) };
}

function readOutcome(value: unknown): Outcome {
  const { status, answer, code, message, retryAfterMs, endsAll } = value as Readonly<Record<string, unknown>>;
  if (status === "delivered") return typeof answer === "string" ? { status, answer } : { status };
  if (status !== "retry" && status !== "refused") return NO_OUTCOME;
  const why = { code: textIn(code).slice(0, MAX_CODE) || "NO_CODE", message: textIn(message) || "no reason given" };
  if (status === "refused") return { status, ...why, ...(endsAll === true && { endsAll }) };
  const asksForTime = typeof retryAfterMs === "number" && retryAfterMs > 0;
  return { status, ...why, ...(asksForTime && { retryAfterMs }) };
}

const textIn = (value: unknown): string => (typeof value === "string" ? value : "");

function codeOf(error: unknown): string {
  try {
    const code = (error as { code?: unknown } | null | undefined)?.code;
    return typeof code === "string" && code !== "" ? code.slice(0, MAX_CODE) : "FAILED";
  } catch {
    return "FAILED";
  }
}
