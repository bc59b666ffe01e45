/**
 * A URL of the user's that notifiers post to. Where it leads is checked when the connection is made (`outbound.ts`), what it
 * answers becomes an outcome, and no secret is in what is said of it: paths of such URLs are secrets, too.
 */

import { isMilepostError, MilepostError } from "../errors.ts";
import { addressList, type AddressList } from "../ip-addresses.ts";
import { checkOutboundUrl, keptConnections, requestOutbound } from "../outbound.ts";
import { VERSION } from "../version.ts";
import { safeText } from "../view/text/safe-text.ts";
import type { Outcome } from "./notifier.ts";
import { cutText } from "./wording.ts";

export interface EndpointOptions {
  readonly url: string;
  /** What the URL is called, for errors. */
  readonly field: string;
  /** Addresses and subnets that are reached though they are not public. */
  readonly allowedAddresses?: readonly string[] | undefined;
  /** For the whole of a request. Default 10 seconds. */
  readonly timeoutMs?: number | undefined;
  /** What must not be told beside the URL's own path. */
  readonly secrets?: readonly string[];
  /** Wall time, for a `Retry-After` that is a date. */
  readonly now: () => number;
}

interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface Endpoint {
  /** Posts once. Never rejects. */
  post(body: string, options: PostOptions): Promise<Outcome>;
  /** Asks whether anything answers there. @throws NOTIFIER_UNUSABLE. */
  check(signal: AbortSignal): Promise<void>;
  /** Closes the connections that were kept. Posting afterwards opens others. */
  close(): void;
}

/** For one request, unless the configuration says otherwise. */
export const TIMEOUT_MS = 10_000;
/** Kept open between requests. */
const MAX_KEPT = 8;
const MAX_ANSWER_BYTES = 65_536;
const MAX_TOLD = 200;
/** Shorter text is no secret, and taking it out would make an answer unreadable. */
const MIN_SECRET = 6;
const MIN_URL_SECRET = 12;
/** The longest wait that an answer can ask for. */
export const MAX_RETRY_AFTER_MS = 86_400_000;

/** @throws INVALID_ARGUMENT. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { field, timeoutMs = TIMEOUT_MS, secrets = [], now } = options;
  const allowed = addressList(options.allowedAddresses ?? [], "allowedAddresses");
  const url = checkEndpoint(options.url, allowed, field);
  const clean = redaction([...secrets, ...secretParts(url)]);
  const connections = keptConnections(url, MAX_KEPT);

  const ask = async (method: "GET" | "POST", { headers, signal }: PostOptions, body?: string): Promise<Outcome> => {
    try {
      const answer = await requestOutbound(url, {
        method,
        headers: { "user-agent": `milepost/${VERSION}`, ...headers },
        ...(body !== undefined && { body }),
        allowed,
        timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        signal,
        connections,
      });
      const retryAfterMs = parseRetryAfter(answer.headers["retry-after"], now());
      return httpOutcome(answer.status, clean(answer.body.toString("utf8")), retryAfterMs);
    } catch (error) {
      return failureOutcome(error, { clean, isCancelled: signal.aborted });
    }
  };

  return {
    post: (body, post) => ask("POST", post, body),
    check: async (signal) => {
      const outcome = await ask("GET", { headers: {}, signal });
      if (outcome.status === "delivered") return;
      // Whatever it thinks of a GET, it is there.
      if (outcome.code.startsWith("HTTP_") && outcome.code !== "HTTP_410") return;
      throw new MilepostError("NOTIFIER_UNUSABLE", `${field} cannot be reached: ${outcome.message}`);
    },
    close: () => connections.destroy(),
  };
}

/** As `checkOutboundUrl`, but nothing beyond the host is shown. */
function checkEndpoint(text: string, allowed: AddressList, field: string): URL {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `${field} must be a URL that begins with https: (what it is now is not shown, as it may hold a secret)`,
    );
  }
  const bare = new URL(url);
  bare.pathname = "";
  bare.search = "";
  bare.hash = "";
  checkOutboundUrl(bare.href, allowed, field);
  return url;
}

/** What of a URL only its owner knows. A short part, such as `/hook`, is no secret. */
function secretParts({ pathname, search, searchParams }: URL): readonly string[] {
  const parts = [
    pathname + search,
    pathname.slice(1) + search,
    pathname.slice(1),
    ...pathname.split("/"),
    ...searchParams.values(),
  ];
  return parts.filter((part) => part.length >= MIN_URL_SECRET);
}

/** Takes secrets out of text, also where they stand URL-encoded or with the slashes of JSON. */
export function redaction(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.length >= MIN_SECRET)
    .flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      secret.replaceAll("/", "\\/"),
      JSON.stringify(secret).slice(1, -1),
    ])
    .toSorted((a, b) => b.length - a.length);
  return (text) => forms.reduce((cleaned, form) => cleaned.replaceAll(form, "***"), text);
}

const TRY_AGAIN: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/**
 * What a status of HTTP means for a notification: 2xx took it; 408, 409, 425, 429 and 5xx may take it later; anything else will
 * not, redirects included.
 *
 * @param text - the answer, without secrets.
 */
function httpOutcome(status: number, text: string, retryAfterMs: number | undefined): Outcome {
  if (status >= 200 && status < 300) return { status: "delivered", answer: `HTTP ${status}` };
  const message = told(`HTTP ${status}${status >= 300 && status < 400 ? " (redirects are not followed)" : ""}`, text);
  // Who answers 410 wants to be asked no more.
  if (status === 410) return { ...refused(`HTTP_${status}`, message), endsAll: true };
  if (!TRY_AGAIN.has(status) && status < 500) return refused(`HTTP_${status}`, message);
  return { status: "retry", code: `HTTP_${status}`, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function failureOutcome(
  error: unknown,
  { clean, isCancelled }: { readonly clean: (text: string) => string; readonly isCancelled: boolean },
): Outcome {
  const code = (error as { readonly code?: unknown }).code;
  // The status came before the answer grew too long, and it is what counts.
  if (isMilepostError(error, "TOO_LARGE")) {
    return httpOutcome(Number(error.context["status"]), "the answer was too long to read", undefined);
  }
  const message = told("", clean(error instanceof Error ? error.message : "the request failed"));
  if (isMilepostError(error, "FORBIDDEN")) return refused(error.code, message);
  if (isMilepostError(error, "TIMEOUT")) return { status: "retry", code: error.code, message };
  if (isCancelled) return { status: "retry", code: "CANCELLED", message: "it was ended before an answer came" };
  return { status: "retry", code: typeof code === "string" ? code : "REQUEST_FAILED", message };
}

function refused(code: string, message: string): Outcome & { readonly status: "refused" } {
  return { status: "refused", code, message };
}

function told(what: string, text: string): string {
  return cutText(safeText([what, text.replace(/\s+/g, " ").trim()].filter((part) => part !== "").join(": ")), MAX_TOLD);
}

/**
 * A `Retry-After` in milliseconds: seconds or a date of HTTP, at most a day; undefined for anything else.
 *
 * @param nowMs - wall time.
 */
function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const isDate = /^[A-Z][a-z]{2,8}, \d/.test(value);
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : isDate ? Date.parse(value) - nowMs : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}
