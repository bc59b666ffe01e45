/** What a test of EventBridge looks for in requests, and how a bus that takes everything answers. */

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
