/** Slack: a card for each upgrade by a bot, or plain messages by an incoming webhook. */

import { setTimeout as sleepFor } from "node:timers/promises";

import { MilepostError, shown } from "../errors.ts";
import { addressList } from "../ip-addresses.ts";
import { checkOutboundUrl } from "../outbound.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { createEndpoint, redaction } from "./endpoint.ts";
import type { Batch, Notifier, Outcome } from "./notifier.ts";
import { SlackBot } from "./slack/bot.ts";
import type { CardStore } from "./slack/cards.ts";
import { loadClient, slackFailure, type SlackClient } from "./slack/client.ts";
import { isTelling, newsMessage } from "./slack/message.ts";
import { createPace, type Pace } from "./slack/pace.ts";

/** What both forms take. */
interface SlackCommonOptions {
  /** Default `slack`. */
  readonly name?: string | undefined;
  /** Where people reach the dashboard; messages then have a link to it. */
  readonly baseUrl?: string | undefined;
  /** Addresses and subnets that may be reached though they are not public. */
  readonly allowedAddresses?: readonly string[] | undefined;
  /** For the whole of a request. Default 10 seconds. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Waits; rejects when the signal ends it. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** A bot: one message for each upgrade, edited in place, with a thread. */
export interface SlackBotOptions extends SlackCommonOptions {
  /** `xoxb-…`, with the scope `chat:write`. Not with `client`. */
  readonly token?: string | undefined;
  /** A `WebClient` of your own in place of the token. */
  readonly client?: SlackClient | undefined;
  /** The id of the channel, such as `C0123456789`; the bot has to be in it. */
  readonly channel: string;
  /** Where the places of the cards are kept. By default with what is kept of the delivery, so that a restart goes on with them. */
  readonly cards?: CardStore | undefined;
  /** Default `https://slack.com/api/`. */
  readonly slackApiUrl?: string | undefined;
}

/** An incoming webhook: a message for each batch of events. */
export interface SlackHookOptions extends SlackCommonOptions {
  /** `https://hooks.slack.com/services/…`, which is a secret. */
  readonly webhookUrl: string;
}

export type SlackOptions = SlackBotOptions | SlackHookOptions;

/** Large, so that what happens in a burst is told in one message. */
const LIMITS = { maxEvents: 1000, maxBytes: 4_194_304 } as const;
const TIMEOUT_MS = 10_000;
/** Slack takes about a message a second, for a channel and for a hook. */
const REQUEST_GAP_MS = 1000;
const NOTHING: Outcome = { status: "delivered", answer: "nothing that people want to know" };

/**
 * Tells of upgrades in Slack.
 *
 * @throws INVALID_ARGUMENT naming the option; tokens and hook addresses are never shown.
 */
export function slack(options: SlackOptions): Notifier {
  const { name = "slack", baseUrl, clock = systemClock } = options;
  const { sleep = (ms: number, signal: AbortSignal) => sleepFor(ms, undefined, { signal }) } = options;
  if (baseUrl !== undefined && !/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? "")) {
    throw wrong(`baseUrl must be a URL that begins with https: or http:, not ${shown(baseUrl)}`);
  }
  const pace = createPace({ gapMs: REQUEST_GAP_MS, clock, sleep });
  const given = options as Partial<SlackBotOptions & SlackHookOptions>;
  if (given.webhookUrl !== undefined && (given.token ?? given.client ?? given.channel) !== undefined) {
    throw wrong("Slack is told by a bot (token and channel) or by an incoming webhook (webhookUrl), not by both");
  }
  const parts = "webhookUrl" in options ? hookParts(options, { clock, pace }) : botParts(options, { clock, pace });
  return { name, kind: "slack", limits: LIMITS, ...parts };
}

type Parts = Pick<Notifier, "notify" | "check" | "close">;
interface Shared {
  readonly clock: Clock;
  readonly pace: Pace;
}

function hookParts(
  { webhookUrl, baseUrl, allowedAddresses, timeoutMs }: SlackHookOptions,
  { clock, pace }: Shared,
): Parts {
  const now = () => clock.now();
  const endpoint = createEndpoint({ url: webhookUrl, field: "webhookUrl", allowedAddresses, timeoutMs, now });
  const headers = { "content-type": "application/json" };
  return {
    async notify({ events, state }: Batch, { signal }) {
      const telling = events.filter(isTelling);
      if (telling.length === 0) return events.map(() => NOTHING);
      const body = JSON.stringify(newsMessage(telling, state, baseUrl));
      const outcome = await pace.request(() => endpoint.post(body, { headers, signal }), signal);
      return events.map((event) => (isTelling(event) ? outcome : NOTHING));
    },
    check: ({ signal }) => endpoint.check(signal),
    close: async () => endpoint.close(),
  };
}

function botParts(options: SlackBotOptions, { clock, pace }: Shared): Parts {
  const { token, channel, baseUrl, cards, timeoutMs = TIMEOUT_MS } = options;
  checkBot(options);
  const allowed = addressList(options.allowedAddresses ?? [], "allowedAddresses");
  const { href: slackApiUrl } = checkOutboundUrl(
    options.slackApiUrl ?? "https://slack.com/api/",
    allowed,
    "slackApiUrl",
  );
  const clean = redaction(token === undefined ? [] : [token]);
  let loading: Promise<SlackClient> | undefined;
  const client = (): Promise<SlackClient> => {
    loading ??=
      options.client === undefined
        ? loadClient({ token: token ?? "", slackApiUrl, allowed, timeoutMs })
        : Promise.resolve(options.client);
    return loading;
  };
  const bot = new SlackBot({ client, channel, cards, baseUrl, pace, clock, clean });
  return {
    notify: (batch, options) => until(options.signal, bot.tell(batch, options)),
    check: async ({ signal }) => {
      const using = await client();
      try {
        checkScopes(await until(signal, using.apiCall("auth.test")));
      } catch (error) {
        if (error instanceof MilepostError) throw error;
        const { code } = slackFailure(error, clean);
        throw new MilepostError("NOTIFIER_UNUSABLE", `Slack does not take this token: ${code}`);
      }
    },
    close: async () => undefined,
  };
}

function checkBot({ token, client, channel }: SlackBotOptions): void {
  if ((token === undefined) === (client === undefined))
    throw wrong("Slack needs a token, a client, or a webhookUrl: one of them");
  if (token !== undefined && (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token))) {
    throw wrong("token must be a token of Slack's, such as xoxb-… (it is not shown)");
  }
  if (client !== undefined && typeof client.apiCall !== "function") {
    throw wrong(`client must be a WebClient of @slack/web-api, not ${shown(client)}`);
  }
  if (typeof channel !== "string" || channel === "")
    throw wrong(`channel must be the id of a channel, not ${shown(channel)}`);
}

/** Slack tells the scopes of a token with every answer. */
function checkScopes(answer: unknown): void {
  const scopes = (answer as { readonly response_metadata?: { readonly scopes?: unknown } }).response_metadata?.scopes;
  if (!Array.isArray(scopes) || scopes.includes("chat:write")) return;
  throw new MilepostError(
    "NOTIFIER_UNUSABLE",
    "the token of Slack has no scope chat:write; add it to the app and install it again",
  );
}

/** The client has no way to be told to stop: it is not waited for any more. */
function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

const wrong = (message: string): MilepostError => new MilepostError("INVALID_ARGUMENT", message);
