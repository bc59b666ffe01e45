/**
 * The wire, whole: what server and client say to each other over a WebSocket, as JSON text messages.
 *
 * A client gets `welcome` first, always. For each channel that it is subscribed to it then gets either `subscribed` with
 * `recovered: true` and the events after its cursor, or a `snapshot`, `subscribed` with `recovered: false`, and the events
 * after the snapshot. An event is sent exactly as it stands in the log.
 */

import { ERRORS, isMilepostError, MilepostError, shown, type ErrorCode } from "../errors.ts";
import { checkId, checkObject, checkText, checkWord } from "../model/check.ts";
import type { ProgressEvent } from "../model/event.ts";
import { checkFields } from "../model/known-fields.ts";
import type { Task } from "../model/task.ts";
import type { UpgradeJson } from "../model/upgrade.ts";
import type { UpgradeSummary } from "../view/upgrade/summary.ts";

/** The version of this protocol. */
export const PROTOCOL_VERSION = 1;

/** The subprotocol that a client may ask for; it may name a second one, `bearer.<token>`, which is never answered. */
export const SUBPROTOCOL = "milepost.v1";

/** A message of a client may have so many bytes; a larger one closes the connection (1009). */
export const MAX_MESSAGE_BYTES = 65_536;

/** How much of a log a subscriber gets. Seq is contiguous at `logs`; below it, it only ascends. */
export const LEVELS = ["summary", "tasks", "logs"] as const;
export type Level = (typeof LEVELS)[number];

/** First, always. `channels` are those that the client is subscribed to by the server itself. */
export interface Welcome {
  readonly type: "welcome";
  readonly protocol: typeof PROTOCOL_VERSION;
  /** Name and version, as `milepost/1.2.3`. */
  readonly server: string;
  /** A client that hears nothing for twice as long should connect anew. */
  readonly pingIntervalMs: number;
  readonly channels: readonly string[];
}

/** The answer to `authenticate`. `expiresAt` is ISO 8601; null when the credentials do not expire. */
export interface Authenticated {
  readonly type: "authenticated";
  readonly subject: string;
  readonly expiresAt: string | null;
  readonly channels: readonly string[];
  readonly requestId?: string;
}

/** The state right after `cursor`, whole. */
export interface WholeSnapshot {
  readonly type: "snapshot";
  readonly channel: string;
  readonly cursor: string;
  readonly recovered: false;
  readonly upgrade: UpgradeJson;
}

/** A large state comes in parts, counted from 1: the first has all but most tasks, the others go on with the tasks, in order. */
export interface SnapshotPart {
  readonly type: "snapshot";
  readonly channel: string;
  readonly cursor: string;
  readonly recovered: false;
  readonly part: number;
  readonly parts: number;
  /** Only in part 1. */
  readonly upgrade?: UpgradeJson;
  /** Only in the others. */
  readonly tasks?: readonly Task[];
}

/** What is known of the upgrades of a `fleet` or `cluster:<name>` channel. */
export interface FleetSnapshot {
  readonly type: "snapshot";
  readonly channel: string;
  readonly upgrades: readonly UpgradeSummary[];
}

/** What follows goes on from `cursor`. Sent again, with `recovered: false`, when a log's history has changed below its readers. */
export interface Subscribed {
  readonly type: "subscribed";
  readonly channel: string;
  /** Absent on channels of summaries, which have none. */
  readonly cursor?: string;
  /** Where the log ended at this moment: a client that has come so far has caught up. Absent on channels of summaries. */
  readonly head?: string;
  /** True: the events after the cursor that was given follow, all of them. */
  readonly recovered: boolean;
  readonly requestId?: string;
}

export interface Unsubscribed {
  readonly type: "unsubscribed";
  readonly channel: string;
  readonly requestId?: string;
}

/**
 * The events up to `to` that follow stand for all between the two cursors: reports that later ones replace are left out.
 * A client shows nothing in between, and keeps `from` as its place until it has the event of `to`.
 */
export interface Skipped {
  readonly type: "skipped";
  readonly channel: string;
  readonly from: string;
  readonly to: string;
  readonly reason: "slow";
}

/** With a channel: an upgrade of it has changed; at most four a second of each. With a requestId: the answer to `get_summary`. */
export interface SummaryMessage {
  readonly type: "summary";
  readonly channel?: string;
  readonly summary: UpgradeSummary;
  readonly requestId?: string;
}

/** An upgrade of a `fleet` or `cluster:<name>` channel is there no more. */
export interface Removed {
  readonly type: "removed";
  readonly channel: string;
  readonly upgradeId: string;
}

export interface Pong {
  readonly type: "pong";
  readonly requestId?: string;
}

/** With a channel: the subscription to it has ended. */
export interface ErrorMessage {
  readonly type: "error";
  readonly code: ErrorCode;
  readonly message: string;
  readonly channel?: string;
  readonly requestId?: string;
}

/** What a server says, beside events as they stand in the log. */
export type ServerMessage =
  | Welcome
  | Authenticated
  | WholeSnapshot
  | SnapshotPart
  | FleetSnapshot
  | Subscribed
  | Unsubscribed
  | Skipped
  | SummaryMessage
  | Removed
  | Pong
  | ErrorMessage;

/** What a client may receive. */
export type Received = ServerMessage | ProgressEvent;

export interface Subscribe {
  readonly type: "subscribe";
  readonly channel: string;
  /** A cursor: only what comes after it. Without one the state comes first. */
  readonly after?: string;
  readonly level?: Level;
  readonly requestId?: string;
}

export interface Unsubscribe {
  readonly type: "unsubscribe";
  readonly channel: string;
  readonly requestId?: string;
}

export interface Ping {
  readonly type: "ping";
  readonly requestId?: string;
}

/** Asks for the summary of the channel's upgrade; of the one that the connection is subscribed to when it names none. */
export interface GetSummary {
  readonly type: "get_summary";
  readonly channel?: string;
  readonly requestId?: string;
}

export interface Authenticate {
  readonly type: "authenticate";
  readonly token: string;
  readonly requestId?: string;
}

export type ClientMessage = Subscribe | Unsubscribe | Ping | GetSummary | Authenticate;

/** What a channel gives: one upgrade's events, or the summaries of a cluster's upgrades, or of all. */
export type Channel =
  | { readonly kind: "upgrade"; readonly upgradeId: string }
  | { readonly kind: "cluster"; readonly clusterName: string }
  | { readonly kind: "fleet" };

const CLIENT_TYPES = ["subscribe", "unsubscribe", "ping", "get_summary", "authenticate"] as const;
const CLIENT_FIELDS: { readonly [T in (typeof CLIENT_TYPES)[number]]: ReadonlySet<string> } = {
  subscribe: new Set(["type", "channel", "after", "level", "requestId"]),
  unsubscribe: new Set(["type", "channel", "requestId"]),
  ping: new Set(["type", "requestId"]),
  get_summary: new Set(["type", "channel", "requestId"]),
  authenticate: new Set(["type", "token", "requestId"]),
};
const MAX_TOKEN = 16_384;

/** The channel of one upgrade's events. */
export function upgradeChannel(upgradeId: string): string {
  return `upgrade:${upgradeId}`;
}

/** @throws INVALID_ARGUMENT, INVALID_ID. */
export function parseChannel(value: unknown): Channel {
  if (value === "fleet") return { kind: "fleet" };
  const [, kind, name] = (typeof value === "string" && /^(upgrade|cluster):(.*)$/s.exec(value)) || [];
  if (kind === "upgrade") return { kind, upgradeId: checkId(name, "channel") };
  if (kind === "cluster") return { kind, clusterName: checkId(name, "channel") };
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `channel must be "upgrade:<id>", "cluster:<name>" or "fleet", not ${shown(value)}`,
  );
}

/** @throws INVALID_ARGUMENT, INVALID_ID, INVALID_TEXT for what is no message of this protocol. */
export function parseClientMessage(text: string): ClientMessage {
  const fields = checkObject(parseJson(text), "message");
  const type = checkWord(fields["type"], "message.type", CLIENT_TYPES);
  // A misspelled `after` would ask for something else in silence. One who speaks a later protocol reads `welcome` first.
  checkFields(fields, CLIENT_FIELDS[type], type);
  const requestId = fields["requestId"] === undefined ? {} : { requestId: checkId(fields["requestId"], "requestId") };
  switch (type) {
    case "ping":
      return { type, ...requestId };
    case "authenticate":
      return { type, token: checkText(fields["token"], "token", MAX_TOKEN), ...requestId };
    case "get_summary":
      return {
        type,
        ...(fields["channel"] !== undefined && { channel: checkChannel(fields["channel"]) }),
        ...requestId,
      };
    case "unsubscribe":
      return { type, channel: checkChannel(fields["channel"]), ...requestId };
    case "subscribe":
      return { type, ...subscribeFields(fields), ...requestId };
  }
}

function subscribeFields({ channel, after, level }: Readonly<Record<string, unknown>>): Omit<Subscribe, "type"> {
  return {
    channel: checkChannel(channel),
    ...(after !== undefined && { after: checkId(after, "after") }),
    ...(level !== undefined && { level: checkWord(level, "level", LEVELS) }),
  };
}

function checkChannel(value: unknown): string {
  parseChannel(value);
  return value as string;
}

/** The answer to a message that was refused, or to a subscription that cannot go on. What is not ours to show is not shown. */
export function errorMessage(error: unknown, about: Pick<ErrorMessage, "channel" | "requestId"> = {}): ErrorMessage {
  const known = isMilepostError(error) ? error : new MilepostError("INTERNAL", "the message could not be handled");
  return { type: "error", code: known.code, message: known.message, ...about };
}

/** Why a server closes a connection: the error codes that do, with their numbers. 4000-4499 and 1001: come back. */
export function closeCode(code: ErrorCode): number | undefined {
  const row: { readonly closeCode?: number } = ERRORS[code];
  return row.closeCode;
}

/** True if a client should connect again after this close code. */
export function mayReconnect(code: number): boolean {
  return code < 4500 && code !== 1009;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MilepostError("INVALID_ARGUMENT", `a message must be JSON, not ${shown(text.slice(0, 60))}`);
  }
}
