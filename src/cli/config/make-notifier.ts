/** Makes the notifiers that a config file names. The code of a kind is loaded when one of that kind is configured. */

import { MilepostError } from "../../errors.ts";
import type { Notifier } from "../../notify/notifier.ts";
import type { Clock } from "../../tracker/clock.ts";
import type { Logger } from "../../tracker/logger.ts";
import type { Elsewhere, NotifierEntry } from "./schema.ts";

/** A notifier of the config file. */
export interface ConfiguredNotifier {
  readonly notifier: Notifier;
  /** Whom it tells, for people: without secrets. */
  readonly target: string;
}

interface Making {
  /** The text of a value that may stand elsewhere. */
  readonly find: (value: Elsewhere, field: string) => string;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Entry<Kind extends NotifierEntry["kind"]> = Extract<NotifierEntry, { kind: Kind }>;

/** @throws INVALID_ARGUMENT naming the option. */
export function makeNotifier(name: string, entry: NotifierEntry, making: Making): Promise<ConfiguredNotifier> {
  switch (entry.kind) {
    case "eventbridge":
      return eventBridgeOf(name, entry, making);
    case "slack":
      return slackOf(name, entry, making);
    case "email":
      return emailOf(name, entry, making);
    case "sms":
      return smsOf(name, entry, making);
    case "webhook":
      return webhookOf(name, entry, making);
  }
}

async function eventBridgeOf(
  name: string,
  { kind: _kind, ...options }: Entry<"eventbridge">,
  { logger }: Making,
): Promise<ConfiguredNotifier> {
  const { EventBridgeNotifier } = await import("../../notify/eventbridge.ts");
  const notifier = new EventBridgeNotifier({ ...given(options), name, logger });
  return { notifier, target: `bus ${options.busName} in ${notifier.awsRegion}` };
}

async function slackOf(
  name: string,
  { kind: _kind, token, channel = "", webhookUrl, ...options }: Entry<"slack">,
  { find, clock }: Making,
): Promise<ConfiguredNotifier> {
  const { slack } = await import("../../notify/slack.ts");
  if (webhookUrl !== undefined) {
    const notifier = slack({ ...options, name, clock, webhookUrl: find(webhookUrl, "webhookUrl") });
    return { notifier, target: "the channel of its incoming webhook" };
  }
  const bot = { token: find(token as Elsewhere, "token"), channel };
  return { notifier: slack({ ...options, ...bot, name, clock }), target: `channel ${channel}` };
}

async function emailOf(
  name: string,
  { kind: _kind, smtp, ...options }: Entry<"email">,
  { find, logger }: Making,
): Promise<ConfiguredNotifier> {
  if (typeof smtp === "string" && hasPassword(smtp)) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      'smtp holds a password, and no secret stands in this file: write {"env": "NAME"} or {"file": "path"}',
    );
  }
  const { email } = await import("../../notify/email.ts");
  const server = smtp === undefined ? {} : { smtp: find(smtp, "smtp") };
  const notifier = email({ ...given(options), ...server, name, logger } as Parameters<typeof email>[0]);
  return { notifier, target: [options.to].flat().join(", ") };
}

const hasPassword = (url: string): boolean => (URL.parse(url)?.password ?? "") !== "";

async function smsOf(
  name: string,
  { kind: _kind, ...options }: Entry<"sms">,
  { clock, logger }: Making,
): Promise<ConfiguredNotifier> {
  const { sms } = await import("../../notify/sms.ts");
  const notifier = sms({ ...given(options), name, clock, logger });
  const { to } = options;
  // A number is somebody's.
  return { notifier, target: to.startsWith("arn:") ? to : `${to.slice(0, 3)}…${to.slice(-2)}` };
}

async function webhookOf(
  name: string,
  { kind: _kind, url, secrets, headers = {}, ...options }: Entry<"webhook">,
  { find, clock }: Making,
): Promise<ConfiguredNotifier> {
  const { webhook } = await import("../../notify/webhook.ts");
  const href = find(url, "url");
  const own = Object.entries(headers).map(([header, value]) => [header, find(value, `headers.${header}`)] as const);
  const notifier = webhook({
    ...options,
    name,
    clock,
    url: href,
    secrets: secrets.map((secret, at) => find(secret, `secrets[${at}]`)),
    headers: Object.fromEntries(own),
  });
  // The path is a secret, too.
  return { notifier, target: new URL(href).origin };
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the fields that are undefined. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}
