/** Why AWS did not do what it was asked, told by what can be done about it. */

import { textOf } from "../tracker/logger.ts";
import { safeText } from "../view/text/safe-text.ts";

/**
 * `outage`: try later (throttling, network, 5xx). `credentials`: try later, somebody has to act. `denied`: a policy does not
 * allow it. `invalid`: the request itself is not taken.
 */
export interface AwsTrouble {
  readonly kind: "outage" | "credentials" | "denied" | "invalid";
  /** AWS's own code, or the system's for a connection. */
  readonly code: string;
  /** AWS's words; of credentials, words of our own. */
  readonly message: string;
}

/** Names of AWS errors, without the ending "Exception", which only some services write. */
const EXPIRED: ReadonlySet<string> = new Set(["ExpiredToken", "RequestExpired"]);
const NOT_ACCEPTED: ReadonlySet<string> = new Set([
  "UnrecognizedClient",
  "InvalidClientTokenId",
  "InvalidAccessKeyId",
  "InvalidSignature",
  "SignatureDoesNotMatch",
  "IncompleteSignature",
  "MissingAuthenticationToken",
  "InvalidToken",
  "AuthFailure",
  "OptInRequired",
]);
const DENIED: ReadonlySet<string> = new Set([
  "AccessDenied",
  "AuthorizationError",
  "NotAuthorized",
  "UnauthorizedOperation",
]);
const THROTTLED =
  /^((KMS)?Throttl|TooManyRequests|RequestThrottled|RequestLimitExceeded|SlowDown|BandwidthLimit|LimitExceeded|PriorRequest)/;

/** The parts of an SDK error that tell what it is. */
interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
}

/** What an error of an SDK means. Its message is safe to show, but of any length, and may repeat what was sent. */
export function awsTrouble(error: unknown): AwsTrouble {
  const { name, code: systemCode, $metadata } = (typeof error === "object" && error !== null ? error : {}) as SdkError;
  const named = typeof name === "string" ? name : "Error";
  const bare = named.replace(/Exception$/, "");
  const credentials = credentialsMessage(bare);
  if (credentials !== undefined) return { kind: "credentials", code: named, message: credentials };
  const status = $metadata?.httpStatusCode;
  const message = safeText(textOf(error)) || named;
  if (DENIED.has(bare)) return { kind: "denied", code: named, message };
  const isRefusal = typeof status === "number" && status >= 400 && status < 500 && status !== 429 && status !== 408;
  if (isRefusal && !THROTTLED.test(bare)) return { kind: "invalid", ...spoken(named, status, message) };
  if (typeof status === "number") return { kind: "outage", ...spoken(named, status, message) };
  return { kind: "outage", code: typeof systemCode === "string" ? systemCode : named, message };
}

/** An answer that is not in the service's language at all is told by its status. */
function spoken(name: string, status: number, message: string): { readonly code: string; readonly message: string } {
  if (name !== "SyntaxError" && name !== "Error" && name !== "Unknown") return { code: name, message };
  return { code: `HTTP_${status}`, message: `an answer with status ${status} that cannot be read` };
}

/** AWS's own words about a signature may repeat what was signed, a session token included: they are not passed on. */
function credentialsMessage(name: string): string | undefined {
  if (name === "CredentialsProviderError" || name === "TokenProviderError") {
    return "no credentials for AWS were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role";
  }
  if (EXPIRED.has(name)) return "the credentials for AWS have expired: renew them";
  if (name === "RequestTimeTooSkewed")
    return "the clock of this machine is wrong, so AWS refuses its signatures: set it";
  if (NOT_ACCEPTED.has(name)) return "AWS does not accept these credentials: see which are set, and for which account";
  return undefined;
}
