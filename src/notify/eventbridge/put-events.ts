/**
 * Puts entries on a bus and tells what became of each. EventBridge takes some entries of a request and not others; only what it
 * did not take is told as such. A request that is refused as a whole is sent in halves, so that one bad entry stops no other.
 */

import type * as EventBridgeModule from "@aws-sdk/client-eventbridge";

import type { AwsAnswer, AwsConnection } from "../../aws/connection.ts";
import { outcomeOf } from "../../aws/outcome.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Outcome } from "../notifier.ts";
import { entryBytes, type Entry } from "./entry.ts";

/** What is used of `@aws-sdk/client-eventbridge`. */
export type EventBridgeSdk = Pick<
  typeof EventBridgeModule,
  "EventBridgeClient" | "PutEventsCommand" | "DescribeEventBusCommand"
>;

/** Entries and UTF-8 bytes of one request. EventBridge takes 10, and 1 MB. */
export const REQUEST_LIMITS = { maxEvents: 10, maxBytes: 900_000 } as const;

/** Codes of entries that no other try helps. */
const REFUSED: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "InvalidAccountIdException",
  "InvalidArgument",
  "MalformedDetail",
  "RedactionFailure",
  "NotAuthorizedForSourceException",
  "NotAuthorizedForDetailTypeException",
]);
const RETRIED: ReadonlySet<string> = new Set(["InternalFailure", "InternalException", "ThrottlingException"]);
/** An entry with a code that is not known is refused at its fifth time. */
const UNKNOWN_CODE_TRIES = 5;
const MAX_REMEMBERED = 1000;
const MAX_MESSAGE = 400;

interface ResultEntry {
  readonly EventId?: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
}

interface Answer {
  readonly Entries?: readonly ResultEntry[];
}

/** An entry with the id of its event. */
export interface Sendable {
  readonly id: string;
  readonly entry: Entry;
}

export class EventBus {
  readonly #connection: AwsConnection<EventBridgeSdk>;
  readonly #endpointId: string | undefined;
  /** How often an event came back with a code that is not known. */
  readonly #unknownCodes = new Map<string, number>();

  constructor(connection: AwsConnection<EventBridgeSdk>, endpointId: string | undefined) {
    this.#connection = connection;
    this.#endpointId = endpointId;
  }

  /** One outcome for each, in their order. After an outage nothing more is tried. @throws MISSING_PACKAGE. */
  async put(sendables: readonly Sendable[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const request of requests(sendables)) {
      const { told, hasOutage } = await this.#request(request, signal);
      outcomes.push(...told);
      const last = told.at(-1);
      if (hasOutage && last !== undefined) return sendables.map((_, place) => outcomes[place] ?? last);
    }
    return outcomes;
  }

  async #request(
    sendables: readonly Sendable[],
    signal: AbortSignal,
  ): Promise<{ readonly told: readonly Outcome[]; readonly hasOutage: boolean }> {
    const { answer, trouble } = await this.#send(sendables, signal);
    if (trouble === undefined) {
      const told = sendables.map(({ id }, place) => this.#outcome(id, answer.Entries?.[place]));
      return { told, hasOutage: false };
    }
    if (trouble.kind !== "invalid" || sendables.length === 1) {
      const hasOutage = trouble.kind === "outage" || trouble.kind === "credentials";
      return { told: sendables.map(() => outcomeOf(trouble)), hasOutage };
    }
    const half = Math.ceil(sendables.length / 2);
    const first = await this.#request(sendables.slice(0, half), signal);
    const second = await this.#request(sendables.slice(half), signal);
    return { told: [...first.told, ...second.told], hasOutage: second.hasOutage };
  }

  #send(sendables: readonly Sendable[], signal: AbortSignal): Promise<AwsAnswer<Answer>> {
    const Entries = sendables.map(({ entry }) => entry);
    const EndpointId = this.#endpointId;
    return this.#connection.send<Answer>(
      ({ PutEventsCommand }) => new PutEventsCommand(EndpointId === undefined ? { Entries } : { Entries, EndpointId }),
      signal,
    );
  }

  #outcome(id: string, result: ResultEntry | undefined): Outcome {
    const { EventId, ErrorCode: code, ErrorMessage } = result ?? {};
    if (code === undefined && EventId !== undefined) {
      this.#unknownCodes.delete(id);
      return { status: "delivered", answer: EventId };
    }
    if (code === undefined) return { status: "retry", code: "NO_ANSWER", message: "the answer does not tell of it" };
    const message = safeText((ErrorMessage ?? code).slice(0, MAX_MESSAGE));
    const isRefused = REFUSED.has(code) || (!RETRIED.has(code) && this.#countUnknown(id) >= UNKNOWN_CODE_TRIES);
    return { status: isRefused ? "refused" : "retry", code: safeText(code), message };
  }

  #countUnknown(id: string): number {
    const count = (this.#unknownCodes.get(id) ?? 0) + 1;
    if (this.#unknownCodes.size >= MAX_REMEMBERED) this.#unknownCodes.clear();
    this.#unknownCodes.set(id, count);
    if (count >= UNKNOWN_CODE_TRIES) this.#unknownCodes.delete(id);
    return count;
  }
}

/** As few requests as the limits allow, in order. */
function requests(sendables: readonly Sendable[]): readonly (readonly Sendable[])[] {
  const found: Sendable[][] = [];
  let bytes = 0;
  for (const sendable of sendables) {
    const size = entryBytes(sendable.entry);
    const current = found.at(-1);
    if (current === undefined || current.length >= REQUEST_LIMITS.maxEvents || bytes + size > REQUEST_LIMITS.maxBytes) {
      found.push([sendable]);
      bytes = size;
    } else {
      current.push(sendable);
      bytes += size;
    }
  }
  return found;
}
