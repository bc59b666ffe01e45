/** A subscriber, and at the other end of its link a reader that checks everything it is told. */

import { newCounters } from "../../src/stream/counters.ts";
import type { LiveLog } from "../../src/stream/live-log.ts";
import { Subscriber, type Budget } from "../../src/stream/subscriber.ts";
import type { ManualClock } from "../manual-clock.ts";
import { HeldLink } from "./held-link.ts";
import type { KeptLog } from "./kept-log.ts";
import { Ledger } from "./ledger.ts";

/** One turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await turn();
}

export interface ReaderOptions {
  readonly log: LiveLog;
  readonly kept: KeptLog;
  readonly clock: ManualClock;
  readonly budget?: Budget;
  readonly after?: string | undefined;
  readonly windowBytes?: number;
}

/** A subscriber and the ledger at the other end of its link. */
export class Reader {
  readonly counters = newCounters();
  readonly ledger: Ledger;
  readonly link: HeldLink;
  readonly #subscriber: Subscriber;
  readonly run: Promise<void>;
  failure: unknown;

  constructor({
    log,
    kept,
    clock,
    budget = { maxLagBytes: 2_000, maxLagMs: 1_000 },
    after,
    windowBytes,
  }: ReaderOptions) {
    this.ledger = new Ledger(kept.facts, after);
    this.link = new HeldLink((text) => this.ledger.take(text), windowBytes);
    this.#subscriber = new Subscriber({ log, link: this.link, context: { clock, counters: this.counters, budget } });
    this.run = this.#subscriber.run(after).catch((error: unknown) => {
      this.failure = error;
    });
  }

  /** Reads everything until it has what the log has. */
  async readAll(kept: KeptLog): Promise<void> {
    for (let n = 0; n < 2_000 && !this.ledger.isAt(kept.end) && this.failure === undefined; n++) {
      this.link.drain();
      await turn();
    }
    this.check();
    if (!this.ledger.isAt(kept.end)) throw new Error(`at ${this.ledger.cursor}, never at ${kept.end}`);
    this.ledger.check();
  }

  check(): void {
    const trouble = this.link.trouble ?? this.failure;
    if (trouble !== undefined) throw new Error("something wrong was told", { cause: trouble });
  }

  async stop(): Promise<void> {
    this.#subscriber.stop();
    this.link.close();
    await this.run;
  }
}
