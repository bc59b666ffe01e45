/** What has been added to a log in one turn, and who is told at once. */

import type { Encoding } from "./encoding.ts";
import type { Level } from "./protocol.ts";
import type { Piece, RecentEvents } from "./recent.ts";

/** The events of one turn, encoded once for all who get them. */
export class News {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly #recent: RecentEvents;
  readonly #made = new Map<Encoding, Map<Level, Piece>>();

  constructor(recent: RecentEvents, fromSeq: number, toSeq: number) {
    this.#recent = recent;
    this.fromSeq = fromSeq;
    this.toSeq = toSeq;
  }

  encoded(encoding: Encoding, level: Level): Piece {
    const byLevel = this.#made.get(encoding) ?? new Map<Level, Piece>();
    this.#made.set(encoding, byLevel);
    const piece = byLevel.get(level) ?? this.#recent.piece(this.fromSeq, this.toSeq, { encoding, level });
    byLevel.set(level, piece);
    return piece;
  }
}

/** A reader that has read all. */
export interface LiveReader {
  /** Must not throw. */
  tell(news: News): void;
  /** The log's history has changed, or the log is closed or broken: what comes next does not follow what it has. */
  interrupt(): void;
}
