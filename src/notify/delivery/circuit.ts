/**
 * What all deliveries to one notifier share: how many calls it gets at a time, and whether it gets any.
 *
 * closed   calls go through. Five in a row that failed, each with another event, or one that was told to wait: open.
 * open     none goes through for a while, then one alone: the probe. When it is answered: closed; else open for twice as long.
 *
 * A single event that fails again and again never opens it: that one is retried by its own schedule.
 */

import type { DeliveryClock } from "./clock.ts";
import { jittered, MAX_DELAY_MS } from "./retry.ts";

const MAX_FAILURES = 5;
const FIRST_OPEN_MS = 5_000;
const MAX_OPEN_MS = 5 * 60_000;

/** The right to one call. */
export interface Pass {
  /** True when the notifier is in trouble and this call finds out whether it still is. */
  readonly isProbe: boolean;
  /** The other side took or refused something. */
  answered(): void;
  /** @param eventId - of the first event that was to be told. */
  failed(eventId: string, retryAfterMs?: number): void;
  /** Nobody waited for what became of it. */
  abandoned(): void;
}

export interface CircuitOptions {
  readonly clock: DeliveryClock;
  readonly random: () => number;
  /** Default 4. */
  readonly maxCalls?: number;
}

export class Circuit {
  readonly #options: CircuitOptions;
  readonly #waiting = new Set<() => void>();
  readonly #failed = new Set<string>();
  #calls = 0;
  #openUntil: number | undefined;
  #openMs = FIRST_OPEN_MS;
  #recoveries = 0;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#openUntil !== undefined;
  }

  /** How often it has closed again; what failed before that may be tried at once. */
  get recoveries(): number {
    return this.#recoveries;
  }

  /** Waits for its turn. Undefined when `signal` ends the waiting. */
  async enter(signal: AbortSignal): Promise<Pass | undefined> {
    const { clock, maxCalls = 4 } = this.#options;
    while (!signal.aborted) {
      const waitMs = this.#openUntil === undefined ? 0 : this.#openUntil - clock.monotonic();
      const free = this.isOpen ? 1 : maxCalls;
      if (waitMs <= 0 && this.#calls < free) return this.#pass(this.isOpen);
      await this.#changed(waitMs > 0 ? waitMs : undefined, signal);
    }
    return undefined;
  }

  #pass(isProbe: boolean): Pass {
    this.#calls += 1;
    let isOver = false;
    const over = (then: () => void): void => {
      if (isOver) return;
      isOver = true;
      this.#calls -= 1;
      then();
      for (const wake of [...this.#waiting]) wake();
    };
    return {
      isProbe,
      answered: () => over(() => this.#close()),
      failed: (eventId, retryAfterMs) => over(() => this.#fail(eventId, isProbe, retryAfterMs)),
      abandoned: () => over(() => undefined),
    };
  }

  #close(): void {
    this.#failed.clear();
    if (this.#openUntil === undefined) return;
    this.#openUntil = undefined;
    this.#openMs = FIRST_OPEN_MS;
    this.#recoveries += 1;
  }

  #fail(eventId: string, isProbe: boolean, retryAfterMs: number | undefined): void {
    const { clock, random } = this.#options;
    this.#failed.add(eventId);
    // A call that began before it opened says nothing new.
    if (this.isOpen && !isProbe) return;
    if (!isProbe && retryAfterMs === undefined && this.#failed.size < MAX_FAILURES) return;
    const openMs = jittered(this.#openMs, random);
    this.#openUntil = clock.monotonic() + Math.min(MAX_DELAY_MS, Math.max(openMs, retryAfterMs ?? 0));
    this.#openMs = Math.min(MAX_OPEN_MS, 2 * this.#openMs);
  }

  #changed(maxMs: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        cancel?.();
        resolve();
      };
      const cancel = maxMs === undefined ? undefined : this.#options.clock.schedule(done, maxMs);
      this.#waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
