/** What tests of EventBridge tell a bus, what they look for in its requests, and how one that takes everything answers. */

import type { ProgressEvent } from "../../src/model/event.ts";
import { EventBridgeNotifier, type EventBridgeNotifierOptions } from "../../src/notify/eventbridge.ts";
import { add, begin, fail, finish, start, story } from "../view/story.ts";
import type { AwsReply, AwsRequest } from "./aws-endpoint.ts";

/** An entry as it comes over the wire. */
export interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName: string;
  readonly Time: number;
  readonly Resources?: readonly string[];
  readonly TraceHeader?: string;
}
export const entriesOf = (request: AwsRequest | undefined): readonly Entry[] =>
  request?.input["Entries"] as readonly Entry[];
/** The detail of an entry, read. */
export const detailOf = (entry: Entry | undefined) => JSON.parse(entry!.Detail) as Record<string, unknown>;
export const allTaken = (request: AwsRequest): AwsReply => ({
  body: { FailedEntryCount: 0, Entries: entriesOf(request).map((_, place) => ({ EventId: `taken-${place}` })) },
});

/** An upgrade of which one task fails. */
const told = story([
  [0, start("Nodes"), add("ng-1"), add("ng-2", { taskName: "Drain node group ng-2" }), begin("ng-1")],
  [65, finish("ng-1")],
  [70, begin("ng-2"), fail("ng-2", "3 pods cannot be evicted")],
]);
export const { state } = told;
/** Its first event of a type. */
export const of = (type: ProgressEvent["type"]): ProgressEvent => told.events.find((event) => event.type === type)!;
export const bus = (options: EventBridgeNotifierOptions = {}) =>
  new EventBridgeNotifier({ busName: "upgrade-events", ...options });
