/**
 * The wire, whole: what server and client say to each other over a WebSocket, as JSON text messages.
 *
 * A client gets `welcome` first, always; then, for each channel it is subscribed to, a `snapshot`, `subscribed` and the events
 * after the snapshot's cursor, each exactly as it stands in the log.
 */

import { isMilepostError, MilepostError, shown, type ErrorCode } from "../errors.ts";
import { checkId, checkObject, checkWord } from "../model/check.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";

/** The version of this protocol. */
export const PROTOCOL_VERSION = 1;

/** Why a server closes a connection. 4000-4499: come back. 4500-4999: do not. */
export const CLOSE_CODES = { SLOW: 4000, SHUTDOWN: 1001, TOO_MANY_ERRORS: 4500 } as const;

export type ServerMessage =
  | {
      readonly type: "welcome";
      readonly protocol: typeof PROTOCOL_VERSION;
      readonly server: string;
      readonly pingIntervalMs: number;
      readonly channels: readonly string[];
    }
  | {
      readonly type: "snapshot";
      readonly channel: string;
      readonly cursor: string;
      readonly recovered: false;
      readonly upgrade: UpgradeProgress;
    }
  | {
      readonly type: "subscribed";
      readonly channel: string;
      readonly cursor: string;
      readonly recovered: boolean;
      readonly requestId?: string;
    }
  | { readonly type: "unsubscribed"; readonly channel: string; readonly requestId?: string }
  | { readonly type: "summary"; readonly summary: object; readonly requestId?: string }
  | { readonly type: "pong"; readonly requestId?: string }
  | { readonly type: "error"; readonly code: ErrorCode; readonly message: string; readonly requestId?: string };

export type ClientMessage = { readonly requestId?: string } & (
  | { readonly type: "subscribe"; readonly channel: string; readonly after?: string }
  | { readonly type: "unsubscribe"; readonly channel: string }
  | { readonly type: "ping" }
  | { readonly type: "get_summary" }
);

const CLIENT_TYPES = ["subscribe", "unsubscribe", "ping", "get_summary"] as const;

/** The channel of one upgrade's events. */
export function upgradeChannel(upgradeId: string): string {
  return `upgrade:${upgradeId}`;
}

/** @throws INVALID_ARGUMENT, INVALID_ID for what is no message of this protocol. */
export function parseClientMessage(text: string): ClientMessage {
  const fields = checkObject(parseJson(text), "message");
  const type = checkWord(fields["type"], "message.type", CLIENT_TYPES);
  const requestId = fields["requestId"] === undefined ? {} : { requestId: checkId(fields["requestId"], "requestId") };
  if (type === "ping" || type === "get_summary") return { type, ...requestId };
  const channel = checkChannel(fields["channel"]);
  if (type === "unsubscribe" || fields["after"] === undefined) return { type, channel, ...requestId };
  return { type, channel, after: checkId(fields["after"], "after"), ...requestId };
}

/** The answer to a message that was refused. */
export function errorMessage(error: unknown, requestId?: string): ServerMessage {
  const known = isMilepostError(error)
    ? error
    : new MilepostError("INVALID_ARGUMENT", "the message could not be handled");
  return { type: "error", code: known.code, message: known.message, ...(requestId !== undefined && { requestId }) };
}

const CHANNEL = /^upgrade:./s;

function checkChannel(value: unknown): string {
  if (typeof value === "string" && CHANNEL.test(value))
    return upgradeChannel(checkId(value.slice("upgrade:".length), "channel"));
  throw new MilepostError("INVALID_ARGUMENT", `channel must be "upgrade:<id>", not ${shown(value)}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MilepostError("INVALID_ARGUMENT", `a message must be JSON, not ${shown(text.slice(0, 60))}`);
  }
}
