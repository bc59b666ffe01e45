/** Notifiers in this process that do as a test says, and a clock that moves as it says. */

import type { ProgressEvent } from "../../src/model/event.ts";
import type { DeliveryClock } from "../../src/notify/delivery.ts";
import type { Batch, Notifier, Outcome } from "../../src/notify/notifier.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";

export const DELIVERED: Outcome = { status: "delivered", answer: "200" };
export const RETRY: Outcome = { status: "retry", code: "UNAVAILABLE", message: "come back later" };
export const REFUSED: Outcome = { status: "refused", code: "BAD_REQUEST", message: "not like this" };

interface Call {
  readonly events: readonly ProgressEvent[];
  readonly batch: Batch;
  readonly signal: AbortSignal;
  /** Monotonic time of the clock, when one was given. */
  readonly at: number;
}

export interface ScriptedNotifier extends Notifier {
  readonly calls: Call[];
  /** The seqs that were taken, in the order in which they came. */
  readonly taken: number[];
  /** What to do with an event; may be changed at any time. Default: take it. */
  answer: (event: ProgressEvent, call: Call) => Outcome;
  /** What to do with a call instead of answering for each event. */
  reply: ((call: Call) => Promise<readonly Outcome[]>) | undefined;
}

export function scriptedNotifier(
  name = "scripted",
  { maxEvents = 10, maxBytes = 100_000, clock }: { maxEvents?: number; maxBytes?: number; clock?: ManualClock } = {},
): ScriptedNotifier {
  const notifier: ScriptedNotifier = {
    name,
    kind: "scripted",
    limits: { maxEvents, maxBytes },
    calls: [],
    taken: [],
    answer: () => DELIVERED,
    reply: undefined,
    notify: async (batch, { signal }) => {
      const call = { events: batch.events, batch, signal, at: clock?.monotonic() ?? 0 };
      notifier.calls.push(call);
      if (notifier.reply !== undefined) return notifier.reply(call);
      const outcomes = batch.events.map((event) => notifier.answer(event, call));
      for (const [index, { status }] of outcomes.entries())
        if (status === "delivered") notifier.taken.push((batch.events[index] as ProgressEvent).seq);
      return outcomes;
    },
    check: async () => undefined,
    close: async () => undefined,
  };
  return notifier;
}

export interface DeliveryManualClock extends ManualClock, DeliveryClock {
  /** When the next timer is due, milliseconds from now. */
  nextInMs(): number | undefined;
}

/** Stands still; `pass` lets the timers ring that are due by then. */
export function manualDeliveryClock(): DeliveryManualClock {
  const clock = manualClock();
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    ...clock,
    pass: (ms) => {
      clock.pass(ms);
      for (const timer of [...timers].sort((a, b) => a.at - b.at)) {
        if (timer.at <= clock.monotonic() && timers.delete(timer)) timer.run();
      }
    },
    schedule: (run, delayMs) => {
      const timer = { at: clock.monotonic() + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    nextInMs: () => {
      const next = Math.min(...[...timers].map(({ at }) => at));
      return Number.isFinite(next) ? next - clock.monotonic() : undefined;
    },
  };
}
