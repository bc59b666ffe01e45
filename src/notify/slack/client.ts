/** Slack's Web API by its own client, which is loaded when it is used. Requests go the guarded way out. */

import { MilepostError } from "../../errors.ts";
import type { AddressList } from "../../ip-addresses.ts";
import { requestOutbound } from "../../outbound.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { MAX_RETRY_AFTER_MS } from "../endpoint.ts";
import type { Outcome } from "../notifier.ts";
import { cutText } from "../wording.ts";

/** What is used of a `WebClient` of `@slack/web-api`. Make it with `rejectRateLimitedCalls: true` and `retryConfig: { retries: 0 }`. */
export interface SlackClient {
  apiCall(method: string, options?: Record<string, unknown>): Promise<unknown>;
}

export interface ClientOptions {
  readonly token: string;
  readonly slackApiUrl: string;
  readonly allowed: AddressList;
  readonly timeoutMs: number;
}

const MAX_ANSWER_BYTES = 1_048_576;
const MAX_TOLD = 200;
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** @throws MISSING_PACKAGE. */
export async function loadClient({ token, slackApiUrl, allowed, timeoutMs }: ClientOptions): Promise<SlackClient> {
  const { WebClient, LogLevel } = await loadPackage();
  return new WebClient(token, {
    slackApiUrl,
    allowAbsoluteUrls: false,
    // Trying again, and when, is up to the delivery.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
      setLevel: () => undefined,
      getLevel: () => LogLevel.ERROR,
      setName: () => undefined,
    },
    fetch: async (url, { headers = {}, body = "" } = {}) => {
      if (typeof body !== "string") throw new TypeError("only text is sent to Slack");
      const limits = { allowed, timeoutMs, maxBytes: MAX_ANSWER_BYTES };
      const answer = await requestOutbound(new URL(url), { method: "POST", headers, body, ...limits });
      const fields = Object.entries(answer.headers).flatMap(([name, value]) =>
        typeof value === "string" ? [[name, value] as [string, string]] : [],
      );
      const content = NO_BODY.has(answer.status) ? null : new Uint8Array(answer.body);
      return new Response(content, { status: answer.status, headers: fields });
    },
  });
}

async function loadPackage() {
  try {
    return await import("@slack/web-api");
  } catch (cause) {
    throw new MilepostError(
      "MISSING_PACKAGE",
      "Slack by a bot token needs the package @slack/web-api; npm install @slack/web-api brings it",
      { cause },
    );
  }
}

/** Answers of Slack after which the same request may do. */
const PASSING: ReadonlySet<string> = new Set([
  "ratelimited",
  "rate_limited",
  "internal_error",
  "fatal_error",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
]);

interface SlackFailure {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly retryAfter?: unknown;
  readonly statusCode?: unknown;
  readonly data?: { readonly error?: unknown };
  readonly original?: unknown;
}

/**
 * What an error of the client means. Slack's own name for it is the code, in small letters.
 *
 * @param clean - takes secrets out of text.
 */
export function slackFailure(error: unknown, clean: (text: string) => string): Outcome & { readonly code: string } {
  const { code, message, retryAfter, statusCode, data, original } = error as SlackFailure;
  const told = (text: unknown): string =>
    cutText(safeText(clean(String(text)).replace(/\s+/g, " ")) || "no reason", MAX_TOLD);
  if (code === "slack_webapi_rate_limited_error") {
    const retryAfterMs = Math.min(Math.max(0, Number(retryAfter) * 1000 || 0), MAX_RETRY_AFTER_MS);
    return { status: "retry", code: "ratelimited", message: "Slack asks for fewer requests", retryAfterMs };
  }
  if (code === "slack_webapi_platform_error") {
    const name = told(data?.error);
    const status = PASSING.has(name) ? "retry" : "refused";
    return { status, code: name, message: `Slack answered ${name}` };
  }
  if (code === "slack_webapi_http_error") {
    const isPassing = Number(statusCode) >= 500 || statusCode === 408 || statusCode === 429;
    const status = isPassing ? "retry" : "refused";
    return { status, code: `HTTP_${Number(statusCode)}`, message: `HTTP ${Number(statusCode)}` };
  }
  // The client wraps what went wrong on the way.
  const cause = (original ?? error) as SlackFailure;
  const isForbidden = cause.code === "FORBIDDEN";
  return {
    status: isForbidden ? "refused" : "retry",
    code: typeof cause.code === "string" ? cause.code : "REQUEST_FAILED",
    message: told(cause.message ?? message),
  };
}
