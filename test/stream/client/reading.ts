/** What a test needs to read what the client gives. */

import { onTestFinished } from "vitest";

import { manualClock, type ManualClock } from "../../manual-clock.ts";
import type { ClientClock, Connection } from "../../../src/stream/client.ts";

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

export interface ManualTimers extends ClientClock, ManualClock {
  /** Timers that have not run. */
  readonly pending: number;
}

/** A clock that stands still; `pass` runs the timers that become due, each at its own time. */
export function manualTimers(): ManualTimers {
  const clock = manualClock();
  const timers = new Set<Timer>();
  const nextBefore = (endMs: number): Timer | undefined =>
    [...timers].filter(({ dueMs }) => dueMs <= endMs).sort((one, other) => one.dueMs - other.dueMs)[0];
  return {
    ...clock,
    get pending() {
      return timers.size;
    },
    schedule: (run, delayMs) => {
      const timer = { dueMs: clock.monotonic() + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass: (ms) => {
      const endMs = clock.monotonic() + ms;
      for (let timer = nextBefore(endMs); timer !== undefined; timer = nextBefore(endMs)) {
        timers.delete(timer);
        clock.pass(Math.max(0, timer.dueMs - clock.monotonic()));
        timer.run();
      }
      clock.pass(endMs - clock.monotonic());
    },
  };
}

type Watch<Item> = AsyncIterableIterator<Item, undefined>;

/** Ends the iteration with the present test. */
export function forThisTest<Item>(items: Watch<Item>): Watch<Item> {
  onTestFinished(() => void items.return?.());
  return items;
}

/** The next item that is wanted. */
export async function next<Item>(items: Watch<Item>, isWanted: (item: Item) => boolean): Promise<Item> {
  for (;;) {
    const { done, value } = await items.next();
    if (done === true) throw new Error("the iteration has ended");
    if (isWanted(value)) return value;
  }
}

/** The next item whose connection has this status. */
export const nextStatus = <Item extends { readonly connection: Connection }>(
  items: Watch<Item>,
  status: Connection["status"],
): Promise<Item> => next(items, ({ connection }) => connection.status === status);
