/** The messages of `stream/protocol.ts` as schemas, for the AsyncAPI document. `Exact` holds the two together. */

import { z } from "zod";

import { ERRORS, type ErrorCode } from "../../../errors.ts";
import {
  LEVELS,
  MAX_MESSAGE_BYTES,
  PROTOCOL_VERSION,
  type Authenticate,
  type Authenticated,
  type ErrorMessage,
  type FleetSnapshot,
  type GetSummary,
  type Ping,
  type Pong,
  type Removed,
  type Skipped,
  type SnapshotPart,
  type Subscribe,
  type Subscribed,
  type SummaryMessage,
  type Unsubscribe,
  type Unsubscribed,
  type Welcome,
  type WholeSnapshot,
} from "../../../stream/protocol.ts";
import { held, type Exact } from "./exact.ts";
import { event, summary, task, upgrade } from "./state.ts";
import { id, named } from "./values.ts";

const requestId = id.exactOptional().describe("Given back in the answer");
const channel = z.string().describe('"upgrade:<id>", "cluster:<name>" or "fleet"');
const cursor = z.string();
const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

const welcome = z.object({
  type: z.literal("welcome"),
  protocol: z.literal(PROTOCOL_VERSION),
  server: z.string(),
  pingIntervalMs: z.number(),
  channels: z.array(z.string()),
});
const authenticated = z.object({
  type: z.literal("authenticated"),
  subject: z.string(),
  expiresAt: z.string().nullable(),
  channels: z.array(z.string()),
  requestId,
});
const wholeSnapshot = z.object({
  type: z.literal("snapshot"),
  channel,
  cursor,
  recovered: z.literal(false),
  upgrade,
});
const snapshotPart = z.object({
  type: z.literal("snapshot"),
  channel,
  cursor,
  recovered: z.literal(false),
  part: z.int().min(1),
  parts: z.int().min(2),
  upgrade: upgrade.exactOptional(),
  tasks: z.array(task).exactOptional(),
});
const fleetSnapshot = z.object({ type: z.literal("snapshot"), channel, upgrades: z.array(summary) });
const subscribed = z.object({
  type: z.literal("subscribed"),
  channel,
  cursor: cursor.exactOptional(),
  head: cursor.exactOptional().describe("Where the log ended at this moment"),
  recovered: z.boolean(),
  requestId,
});
const unsubscribed = z.object({ type: z.literal("unsubscribed"), channel, requestId });
const skipped = z.object({
  type: z.literal("skipped"),
  channel,
  from: cursor,
  to: cursor,
  reason: z.literal("slow"),
});
const summaryMessage = z.object({
  type: z.literal("summary"),
  channel: channel.exactOptional(),
  summary,
  requestId,
});
const removed = z.object({ type: z.literal("removed"), channel, upgradeId: z.string() });
const pong = z.object({ type: z.literal("pong"), requestId });
const errorMessage = z.object({
  type: z.literal("error"),
  code: errorCode,
  message: z.string(),
  channel: channel.exactOptional(),
  requestId,
});

const subscribe = z.strictObject({
  type: z.literal("subscribe"),
  channel,
  after: cursor.exactOptional().describe("Only what comes after it; without one the state comes first"),
  level: z.enum(LEVELS).exactOptional(),
  requestId,
});
const unsubscribe = z.strictObject({ type: z.literal("unsubscribe"), channel, requestId });
const ping = z.strictObject({ type: z.literal("ping"), requestId });
const getSummary = z.strictObject({ type: z.literal("get_summary"), channel: channel.exactOptional(), requestId });
const authenticate = z.strictObject({ type: z.literal("authenticate"), token: z.string(), requestId });

held<Exact<z.infer<typeof welcome>, Welcome>>();
held<Exact<z.infer<typeof authenticated>, Authenticated>>();
held<Exact<z.infer<typeof wholeSnapshot>, WholeSnapshot>>();
held<Exact<z.infer<typeof snapshotPart>, SnapshotPart>>();
held<Exact<z.infer<typeof fleetSnapshot>, FleetSnapshot>>();
held<Exact<z.infer<typeof subscribed>, Subscribed>>();
held<Exact<z.infer<typeof unsubscribed>, Unsubscribed>>();
held<Exact<z.infer<typeof skipped>, Skipped>>();
held<Exact<z.infer<typeof summaryMessage>, SummaryMessage>>();
held<Exact<z.infer<typeof removed>, Removed>>();
held<Exact<z.infer<typeof pong>, Pong>>();
held<Exact<z.infer<typeof errorMessage>, ErrorMessage>>();
held<Exact<z.infer<typeof subscribe>, Subscribe>>();
held<Exact<z.infer<typeof unsubscribe>, Unsubscribe>>();
held<Exact<z.infer<typeof ping>, Ping>>();
held<Exact<z.infer<typeof getSummary>, GetSummary>>();
held<Exact<z.infer<typeof authenticate>, Authenticate>>();

/** A message: what it is called in the document, what it is for, what it looks like. */
export interface MessageSchema {
  readonly name: string;
  readonly summary: string;
  readonly schema: z.ZodType;
}

const message = (name: string, summary: string, schema: z.ZodType): MessageSchema => {
  if (!named.has(schema)) named.add(schema, { id: name });
  return { name, summary, schema };
};

/** What a server sends. */
export const SERVER_MESSAGES: readonly MessageSchema[] = [
  message("Welcome", "First, always", welcome),
  message("Authenticated", "The answer to authenticate", authenticated),
  message("WholeSnapshot", "The state right after its cursor", wholeSnapshot),
  message("SnapshotPart", "A part of a large state, counted from 1", snapshotPart),
  message("FleetSnapshot", "The upgrades of a fleet or cluster channel", fleetSnapshot),
  message("Subscribed", "What follows goes on from its cursor", subscribed),
  message("Unsubscribed", "Nothing more comes of the channel", unsubscribed),
  message("Event", "What happened, exactly as in the log", event),
  message("Skipped", "The events that follow stand for a stretch that was shortened for a slow reader", skipped),
  message("SummaryMessage", "An upgrade of the channel has changed, or the answer to get_summary", summaryMessage),
  message("Removed", "An upgrade of the channel is there no more", removed),
  message("Pong", "The answer to ping", pong),
  message("ErrorMessage", "A message was refused, or a subscription has ended", errorMessage),
];

/** What a client sends; at most {@link MAX_MESSAGE_BYTES} bytes each. */
export const CLIENT_MESSAGES: readonly MessageSchema[] = [
  message("Subscribe", `Asks for a channel; a message has at most ${MAX_MESSAGE_BYTES} bytes`, subscribe),
  message("Unsubscribe", "Wants no more of a channel", unsubscribe),
  message("Ping", "Asks for a pong", ping),
  message("GetSummary", "Asks for the summary of an upgrade", getSummary),
  message("Authenticate", "Gives a token", authenticate),
];
