/**
 * Whether a notifier can tell anything, asked before it is told: once for all deliveries to it in this process, and again, ever
 * more rarely, until it can. An unknown bus takes events and loses them; what waits for a token to be put right need not be
 * redriven. What came of it is said once, and again when it is another thing.
 */

import { isoMaker } from "../../tracker/clock.ts";
import { report, textOf, type Logger } from "../../tracker/logger.ts";
import type { Notifier } from "../notifier.ts";
import type { DeliveryClock } from "./clock.ts";
import type { CheckRecord } from "./record.ts";
import { jittered } from "./retry.ts";

const TIMEOUT_MS = 10_000;
const FIRST_WAIT_MS = 5_000;
const MAX_WAIT_MS = 5 * 60_000;

export interface NotifierCheckOptions {
  readonly notifier: Notifier;
  readonly clock: DeliveryClock;
  readonly random: () => number;
  readonly logger: Logger;
}

export class NotifierCheck {
  readonly #options: NotifierCheckOptions;
  readonly #iso = isoMaker();
  #record: CheckRecord | undefined;
  #asking: Promise<void> | undefined;
  #hasPassed = false;
  #waitMs = FIRST_WAIT_MS;
  /** Monotonic. */
  #nextAt = -Infinity;

  constructor(options: NotifierCheckOptions) {
    this.#options = options;
  }

  /** What came of it last; undefined while nobody has asked. */
  get record(): CheckRecord | undefined {
    return this.#record;
  }

  /** Milliseconds until it is asked again. */
  get dueInMs(): number {
    return Math.max(0, this.#nextAt - this.#options.clock.monotonic());
  }

  /** True if the notifier can tell, as far as is known. Asks, when it is time to. */
  async passes(): Promise<boolean> {
    if (this.#hasPassed) return true;
    if (this.dueInMs === 0) await (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)));
    return this.#hasPassed;
  }

  async #ask(): Promise<void> {
    const { notifier, clock, random, logger } = this.#options;
    const failure = await this.#failure();
    const before = this.#record;
    this.#record = { at: this.#iso(clock.now()), ...failure };
    if (failure === undefined) {
      this.#hasPassed = true;
      report(logger, "info", before === undefined ? `${notifier.name} is ready` : `${notifier.name} is ready now`);
      return;
    }
    this.#nextAt = clock.monotonic() + jittered(this.#waitMs, random);
    this.#waitMs = Math.min(MAX_WAIT_MS, 2 * this.#waitMs);
    if (failure.message === before?.message) return;
    report(logger, "warn", `${notifier.name} is not told anything until this is put right: ${failure.message}`);
  }

  async #failure(): Promise<{ readonly code: string; readonly message: string } | undefined> {
    const { notifier, clock } = this.#options;
    const ending = new AbortController();
    let cancel: () => void = () => undefined;
    // One that does not listen to its signal is not waited for either.
    const late = new Promise<never>((_resolve, reject) => {
      cancel = clock.schedule(() => {
        const error = Object.assign(new Error(`no answer within ${TIMEOUT_MS} ms`), { code: "TIMEOUT" });
        ending.abort(error);
        reject(error);
      }, TIMEOUT_MS);
    });
    try {
      await Promise.race([late, notifier.check({ signal: ending.signal })]);
      return undefined;
    } catch (error) {
      const code = (error as { code?: unknown } | null | undefined)?.code;
      return { code: typeof code === "string" ? code : "FAILED", message: textOf(error).slice(0, 500).toWellFormed() };
    } finally {
      cancel();
    }
  }
}
