/** A signed HTTP request for each event, by the rules of Standard Webhooks. */

import { createHash } from "node:crypto";
import { validateHeaderName, validateHeaderValue } from "node:http";

import { MilepostError, shown } from "../errors.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { createEndpoint, TIMEOUT_MS } from "./endpoint.ts";
import type { Notifier, Outcome } from "./notifier.ts";
import { tellByKey } from "./webhook/by-key.ts";
import { webhookBody, type WebhookFormat } from "./webhook/body.ts";
import { createSigner } from "./webhook/signature.ts";

export interface WebhookOptions {
  /** Default `webhook`. */
  readonly name?: string | undefined;
  /** Begins with https: (http: to a listed loopback address alone). */
  readonly url: string;
  /**
   * `whsec_` and 24 to 64 bytes in base64 (HMAC-SHA256), or `whsk_` and an ed25519 private key. All of them sign: while a secret
   * is changed, the old and the new.
   */
  readonly secrets: readonly string[];
  /** Default `standard`. */
  readonly format?: WebhookFormat | undefined;
  /** Sent along, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Addresses and subnets that may be reached though they are not public, as `10.0.0.0/8`. */
  readonly allowedAddresses?: readonly string[] | undefined;
  /** For the whole of a request. Default 10 seconds. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** A request carries one event; these are told side by side. */
const LIMITS = { maxEvents: 32, maxBytes: 1_048_576 } as const;
const FORMATS: readonly string[] = ["standard", "cloudevents"];
/** Headers that are this notifier's or the connection's own. */
const RESERVED = /^(webhook-.*|content-(type|length)|host|connection|transfer-encoding|expect|upgrade|te|trailer)$/i;
/** An id that can stand in a header and in what is signed, where a dot separates. */
const PLAIN_ID = /^[A-Za-z0-9_-]{1,255}$/;

/**
 * Tells of events by HTTP requests that are signed by Standard Webhooks. The header `webhook-id` is the same for every try of an event.
 *
 * @throws INVALID_ARGUMENT naming the option, never with its value where that may be a secret.
 */
export function webhook(options: WebhookOptions): Notifier {
  const { name = "webhook", secrets, format = "standard", timeoutMs = TIMEOUT_MS, clock = systemClock } = options;
  if (!FORMATS.includes(format)) {
    throw new MilepostError("INVALID_ARGUMENT", `format must be one of ${FORMATS.join(", ")}, not ${shown(format)}`);
  }
  const sign = createSigner(secrets);
  const own = checkHeaders(options.headers ?? {});
  const endpoint = createEndpoint({
    url: options.url,
    field: "url",
    allowedAddresses: options.allowedAddresses,
    timeoutMs,
    secrets: [...secrets, ...secrets.map(withoutPrefix), ...Object.values(own).flatMap((value) => value.split(" "))],
    now: () => clock.now(),
  });

  const tell = (event: ProgressEvent, state: UpgradeProgress, signal: AbortSignal): Promise<Outcome> => {
    const id = webhookId(event.id);
    const time = new Date(clock.now());
    const { contentType, text } = webhookBody(event, { state, format, id });
    const headers = {
      ...own,
      "content-type": contentType,
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(time.getTime() / 1000)),
      "webhook-signature": sign({ id, time, body: text }),
    };
    return endpoint.post(text, { headers, signal });
  };

  return {
    name,
    kind: "webhook",
    limits: LIMITS,
    notify({ events, state }, { signal }) {
      const until = clock.monotonic() + timeoutMs;
      return tellByKey(events, {
        tell: (event) => tell(event, state, signal),
        mayBegin: () => !signal.aborted && clock.monotonic() < until,
      });
    },
    check: ({ signal }) => endpoint.check(signal),
    close: async () => endpoint.close(),
  };
}

function webhookId(eventId: string): string {
  return PLAIN_ID.test(eventId) ? eventId : createHash("sha256").update(eventId).digest("hex");
}

const withoutPrefix = (secret: string): string => secret.slice(secret.indexOf("_") + 1);

function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (RESERVED.test(name)) {
      throw new MilepostError(
        "INVALID_ARGUMENT",
        `headers must not hold ${shown(name)}: that one is set by the webhook`,
      );
    }
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      // What Node says of it shows the value.
      throw new MilepostError(
        "INVALID_ARGUMENT",
        `headers: ${shown(name)} cannot be sent as a header; change it or its value`,
      );
    }
  }
  return headers;
}
