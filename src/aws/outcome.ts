/** What trouble with AWS means for a notifier. */

import { MilepostError } from "../errors.ts";
import type { Outcome } from "../notify/notifier.ts";
import { report, type Logger } from "../tracker/logger.ts";
import type { AwsTrouble } from "./trouble.ts";

/** Missing and expired credentials are renewed by people, so events wait for them; a policy that denies is a decision. */
export function outcomeOf({ kind, code, message }: AwsTrouble): Outcome {
  return { status: kind === "denied" || kind === "invalid" ? "refused" : "retry", code, message };
}

/**
 * Trouble that a check met. Being denied the look alone is a warning: sending may be allowed.
 *
 * @param by - the notifier's service, and the action of IAM that looks.
 * @throws NOTIFIER_UNUSABLE.
 */
export function checkTrouble(
  { kind, code, message }: AwsTrouble,
  { feature, action, logger }: { readonly feature: string; readonly action: string; readonly logger: Logger },
): void {
  if (kind !== "denied") {
    throw new MilepostError("NOTIFIER_UNUSABLE", `${feature} cannot be used: ${message}`, { context: { code } });
  }
  report(logger, "warn", `${feature}: not checked, since ${action} is not allowed; whether sending is will show`);
}
