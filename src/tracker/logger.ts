/** Where Milepost reports its own trouble. Any console-shaped or pino-shaped object fits. */

import { TEXT_LIMITS } from "../model/check.ts";

export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Says nothing: the default of the library, which must not write to its host's terminal unasked. */
export const silentLogger: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Calls a logger so that its own failure, or a hostile error value, hurts nobody. */
export function report(logger: Logger, level: keyof Logger, message: string, cause?: unknown): void {
  try {
    logger[level](cause === undefined ? message : `${message}: ${textOf(cause)}`);
  } catch {
    // There is nobody left to tell.
  }
}

/** The message of an error, or some text for whatever was thrown instead of one. */
export function textOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    return error.message === "" ? error.name : error.message;
  } catch {
    return "a value that cannot be shown";
  }
}

/** An error as the text of a report: text is kept as it is given, the message of anything else is cut to the limit. */
export function errorText(error: unknown): string {
  return typeof error === "string" ? error : textOf(error).slice(0, TEXT_LIMITS.message);
}
