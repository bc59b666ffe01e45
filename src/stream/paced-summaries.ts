/**
 * The summary of one log, told at most four times a second to those who follow it at that level: what they see of the progress
 * that they get no events of. Made and encoded once for all of them, and only while there are some.
 */

import type { Clock } from "../tracker/clock.ts";
import { summaryAt } from "../view/upgrade/summary.ts";
import type { Encoding } from "./encoding.ts";
import { TELL_INTERVAL_MS } from "./fleet.ts";
import { Paced } from "./fleet/paced.ts";
import type { Link } from "./link.ts";
import type { LiveLog } from "./live-log.ts";
import { upgradeChannel } from "./protocol.ts";

const all = new WeakMap<LiveLog, PacedSummaries>();

class PacedSummaries {
  readonly #log: LiveLog;
  readonly #clock: Clock;
  readonly #paced: Paced;
  readonly #readers = new Set<SummaryReader>();
  readonly #encoded = new Map<Encoding, Uint8Array>();
  /** What was told last. */
  #told = "";
  #stop: () => void = () => undefined;

  constructor(log: LiveLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#paced = new Paced(() => this.#tell(), { intervalMs: TELL_INTERVAL_MS, clock });
  }

  static of(log: LiveLog, clock: Clock): PacedSummaries {
    let found = all.get(log);
    if (found === undefined) all.set(log, (found = new PacedSummaries(log, clock)));
    return found;
  }

  /** What the log stands for now; told only when it is another. */
  get #present(): string {
    return `${this.#log.cursor} ${this.#log.hasWriter}`;
  }

  join(reader: SummaryReader): void {
    if (this.#readers.size === 0) {
      this.#told = this.#present;
      this.#stop = this.#log.onChange(() => {
        if (this.#present !== this.#told && this.#log.trouble === undefined) this.#paced.request();
      });
    }
    this.#readers.add(reader);
  }

  leave(reader: SummaryReader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    this.#stop();
    this.#paced.cancel();
  }

  message(encoding: Encoding): Uint8Array {
    let bytes = this.#encoded.get(encoding);
    if (bytes === undefined) {
      const { state, hasWriter, ref } = this.#log;
      const summary = summaryAt(state, { asOfMs: this.#clock.now(), hasWriter });
      bytes = encoding.message({ type: "summary", channel: upgradeChannel(ref), summary });
      this.#encoded.set(encoding, bytes);
    }
    return bytes;
  }

  #tell(): void {
    this.#told = this.#present;
    this.#encoded.clear();
    for (const reader of [...this.#readers]) reader.tell();
  }
}

/** One who is told. A link that cannot take it now gets the newest when it can. */
export class SummaryReader {
  readonly #summaries: PacedSummaries;
  readonly #link: Link;
  #isWaiting = false;
  #isStopped = false;

  constructor(log: LiveLog, link: Link, clock: Clock) {
    this.#summaries = PacedSummaries.of(log, clock);
    this.#link = link;
    this.#summaries.join(this);
  }

  stop(): void {
    this.#isStopped = true;
    this.#summaries.leave(this);
  }

  tell(): void {
    if (this.#isStopped || this.#isWaiting || !this.#link.isOpen) return;
    if (this.#link.canTake) return this.#link.write(this.#summaries.message(this.#link.encoding), 1);
    this.#isWaiting = true;
    void this.#link.ready().then(() => {
      this.#isWaiting = false;
      this.tell();
    });
  }
}
