/** What a channel's messages come to: the part of the client that differs between an upgrade and a fleet. */

import { MilepostError } from "../../errors.ts";
import type { Received } from "../protocol.ts";
import type { Asked } from "./address.ts";
import type { Connection } from "./connection.ts";

/** Something to show, and how much room it takes while nobody reads it. */
export interface Shown<Change> {
  readonly change: Change;
  readonly sizeChars: number;
}

export interface Feed<Item, Change> {
  readonly channel: string;
  /** Where this connection stands: nothing yet, something half received, or nothing missing. */
  readonly progress: "connecting" | "catching_up" | "live";
  /** What a new connection asks for. What an earlier one left half received is dropped. */
  begin(): Asked;
  /**
   * Takes one message about the channel; `sizeChars` is its length. Returns what is to be shown because of it, if anything.
   * @throws STREAM_BROKEN when it does not follow from what came before; nothing has changed then.
   */
  take(message: Received, sizeChars: number): Shown<Change> | undefined;
  /** What the reader gets. */
  item(connection: Connection, change: Change | undefined): Item;
  /** One item for two that follow each other, the first of which nobody has read; undefined when both must be read. */
  merge(unread: Item, next: Item): Item | undefined;
  /** The reader has taken the newest item. */
  taken(): void;
}

/** The server said what does not follow: connect again, from the last good place. */
export function broken(what: string): MilepostError {
  return new MilepostError("STREAM_BROKEN", `${what}; the client connects again and goes on from its last good place`);
}
