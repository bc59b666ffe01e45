/** The events of one upgrade, each shown once and in order, with the state that they fold to. */

import { parseCursor, type CursorParts } from "../../model/cursor.ts";
import type { ProgressEvent } from "../../model/event.ts";
import { evolve } from "../../model/evolve.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { Received, ServerMessage, Skipped, Subscribed } from "../protocol.ts";
import type { Asked } from "./address.ts";
import type { Connection } from "./connection.ts";
import { broken, type Feed, type Shown } from "./feed.ts";
import { checkFollows } from "./follows.ts";
import { wholeState, withPart, type SnapshotParts } from "./snapshot-parts.ts";

/** What `watch` gives, each time something has changed. */
export interface Watched {
  /** The state at `cursor`. Undefined until the server has told one: before the first answer, and after a bare cursor. */
  readonly state: UpgradeProgress | undefined;
  /** What happened, and led to this state. Absent when only the connection has changed, and with a state told whole. */
  readonly event?: ProgressEvent;
  /** Present when this item stands for a stretch that was sent in short: the events that were sent, in order; `event` is the last. */
  readonly conflated?: readonly ProgressEvent[];
  /** The history was not continued: this state stands on its own, and events before it may never have been shown. */
  readonly reset?: true;
  /** The place of `state`, to go on from later. */
  readonly cursor: string | undefined;
  readonly connection: Connection;
}

/** What becomes of a message. */
type Change = Pick<Watched, "event" | "conflated" | "reset">;

/** A state is large or small; unread, each takes this much room, so that one of any size can wait and many cannot. */
const STATE_CHARS = 2 * 1024 * 1024;

type Phase =
  | { readonly kind: "asking" }
  | { readonly kind: "snapshot"; readonly received: SnapshotParts }
  | { readonly kind: "following" }
  | {
      readonly kind: "stretch";
      readonly to: string;
      readonly toSeq: number;
      readonly last: CursorParts;
      readonly state: UpgradeProgress | undefined;
      readonly events: ProgressEvent[];
      readonly sizeChars: number;
    };

const PROGRESS = { asking: "connecting", snapshot: "catching_up", following: "live", stretch: "catching_up" } as const;

export interface UpgradeFeedOptions {
  readonly channel: string;
  readonly after: string | UpgradeProgress | undefined;
  readonly level: "tasks" | "logs" | undefined;
}

export class UpgradeFeed implements Feed<Watched, Change> {
  readonly channel: string;
  readonly #level: "tasks" | "logs";
  #state: UpgradeProgress | undefined;
  #cursor: string | undefined;
  #phase: Phase = { kind: "asking" };

  /** @throws INVALID_ARGUMENT when `after` is no place in a log. */
  constructor({ channel, after, level = "logs" }: UpgradeFeedOptions) {
    this.channel = channel;
    this.#level = level;
    this.#state = typeof after === "string" ? undefined : after;
    this.#cursor = typeof after === "string" ? after : after?.cursor;
    if (after !== undefined) parseCursor(this.#cursor as string);
  }

  get progress(): "connecting" | "catching_up" | "live" {
    return PROGRESS[this.#phase.kind];
  }

  begin(): Asked {
    this.#phase = { kind: "asking" };
    return {
      channel: this.channel,
      ...(this.#cursor !== undefined && { after: this.#cursor }),
      ...(this.#level !== "logs" && { level: this.#level }),
    };
  }

  take(message: Received, sizeChars: number): Shown<Change> | undefined {
    if (isEvent(message)) return this.#takeEvent(message, sizeChars);
    if (!("channel" in message) || message.channel !== this.channel) return undefined;
    if (message.type === "subscribed") return this.#subscribed(message);
    if (message.type === "skipped") this.#skipped(message);
    if (message.type === "snapshot" && "cursor" in message) {
      const before = this.#phase.kind === "snapshot" ? this.#phase.received : undefined;
      this.#phase = { kind: "snapshot", received: withPart(before, message) };
    }
    return undefined;
  }

  item(connection: Connection, change: Change | undefined): Watched {
    return { state: this.#state, ...change, cursor: this.#cursor, connection };
  }

  /** What nobody has read of the connection is worth nothing once it has changed again; events and resets are. */
  merge(unread: Watched, next: Watched): Watched | undefined {
    if (unread.event !== undefined || next.event !== undefined || next.reset !== undefined) return undefined;
    return { ...unread, ...next };
  }

  taken(): void {
    // Every item is a value of its own.
  }

  #subscribed({ recovered, cursor }: Subscribed): Shown<Change> | undefined {
    const phase = this.#phase;
    if (recovered) {
      if (phase.kind !== "asking" || cursor !== this.#cursor) throw broken("the server goes on from another place");
      this.#phase = { kind: "following" };
      return undefined;
    }
    if (phase.kind !== "snapshot" || cursor !== phase.received.cursor) throw broken("a state is missing");
    const isReset = this.#cursor !== undefined;
    this.#state = wholeState(phase.received);
    this.#cursor = cursor;
    this.#phase = { kind: "following" };
    return { change: isReset ? { reset: true } : {}, sizeChars: STATE_CHARS };
  }

  #skipped({ from, to }: Skipped): void {
    if (this.#phase.kind !== "following" || this.#cursor === undefined) throw broken("a stretch begins too early");
    const [last, first, end] = [this.#cursor, from, to].map(parseCursor) as [CursorParts, CursorParts, CursorParts];
    // Below the level "logs" the stretch may begin at an event that was not for us.
    const isHere = this.#level === "logs" ? from === this.#cursor : first.seq >= last.seq;
    if (!isHere || end.seq <= first.seq || [first, end].some(({ logId }) => logId !== last.logId)) {
      throw broken(`a stretch from event ${first.seq} to event ${end.seq} came after event ${last.seq}`);
    }
    this.#phase = { kind: "stretch", to, toSeq: end.seq, last: first, state: this.#state, events: [], sizeChars: 0 };
  }

  #takeEvent(event: ProgressEvent, sizeChars: number): Shown<Change> | undefined {
    const phase = this.#phase;
    if (phase.kind === "stretch") return this.#takeWithin(phase, event, sizeChars);
    if (phase.kind !== "following" || this.#cursor === undefined) throw broken("an event came before its state");
    if (event.cursor === this.#cursor) return undefined;
    checkFollows(parseCursor(this.#cursor), event, this.#level === "logs");
    this.#state = this.#state && evolve(this.#state, event);
    this.#cursor = event.cursor;
    // A server may send more than was asked for.
    if (this.#level === "tasks" && event.type === "log.appended") return undefined;
    return { change: { event }, sizeChars };
  }

  /** Within a stretch nothing is shown, and our place stays before it: what it passes through never was. */
  #takeWithin(
    stretch: Extract<Phase, { kind: "stretch" }>,
    event: ProgressEvent,
    sizeChars: number,
  ): Shown<Change> | undefined {
    const { to, toSeq, events } = stretch;
    if (event.cursor === events.at(-1)?.cursor) return undefined;
    checkFollows(stretch.last, event, false);
    if (event.seq > toSeq || (event.seq === toSeq && event.cursor !== to)) {
      throw broken(`event ${event.seq} came before the end of a stretch, event ${toSeq}`);
    }
    events.push(event);
    const state = stretch.state && evolve(stretch.state, event);
    const size = stretch.sizeChars + sizeChars;
    if (event.cursor !== to) {
      this.#phase = { ...stretch, state, last: parseCursor(event.cursor), sizeChars: size };
      return undefined;
    }
    this.#state = state;
    this.#cursor = to;
    this.#phase = { kind: "following" };
    return { change: { event, conflated: events }, sizeChars: size };
  }
}

/** Events have a seq, messages of the server do not; types that are not known are events all the same. */
function isEvent(message: Received): message is ProgressEvent {
  return typeof (message as ProgressEvent | (ServerMessage & { readonly seq?: undefined })).seq === "number";
}
