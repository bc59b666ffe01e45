/**
 * Requests side by side: one event each, those of one task one after another, and what is of the upgrade as a whole when all
 * before it is answered. So a receiver that does well gets beginnings first, ends last and each task in its order, and a
 * thousand events a second where an answer takes some milliseconds.
 */

import type { ProgressEvent } from "../../model/event.ts";
import type { Outcome } from "../notifier.ts";

/** Requests under way at a time. */
const MAX_REQUESTS = 8;
/** After so many failures in a row the receiver is in trouble, and not an event. */
const MAX_FAILURES = 5;

interface Telling {
  /** Tells one event. Never rejects. */
  readonly tell: (event: ProgressEvent) => Promise<Outcome>;
  /** False when no further request may begin: the time is up. */
  readonly mayBegin: () => boolean;
}

/** One outcome for each event, in their order. What was not begun is `retry`, with the time that the receiver asked for. */
export async function tellByKey(events: readonly ProgressEvent[], telling: Telling): Promise<readonly Outcome[]> {
  const batch = new KeyedBatch(events, telling);
  for (const stretch of stretches(events)) await batch.tell(stretch);
  return batch.outcomes();
}

class KeyedBatch {
  readonly #events: readonly ProgressEvent[];
  readonly #telling: Telling;
  readonly #outcomes: (Outcome | undefined)[] = [];
  #failuresInARow = 0;
  /** Why nothing more begins. */
  #stop: (Outcome & { readonly status: "retry" }) | undefined;

  constructor(events: readonly ProgressEvent[], telling: Telling) {
    this.#events = events;
    this.#telling = telling;
  }

  /** @param stretch - queues of places, each told in its order. */
  async tell(stretch: readonly (readonly number[])[]): Promise<void> {
    const waiting = [...stretch];
    const worker = async (): Promise<void> => {
      for (let queue = waiting.shift(); queue !== undefined; queue = waiting.shift()) await this.#tellQueue(queue);
    };
    await Promise.all(Array.from({ length: Math.min(MAX_REQUESTS, waiting.length) }, worker));
  }

  outcomes(): readonly Outcome[] {
    return this.#events.map(
      (_, place) => this.#outcomes[place] ?? this.#stop ?? heldBack("an earlier event of its task"),
    );
  }

  /** What comes behind an event that was not taken must not overtake it. */
  async #tellQueue(queue: readonly number[]): Promise<void> {
    for (const place of queue) {
      if (this.#stop === undefined && !this.#telling.mayBegin()) this.#stop = heldBack("slow answers");
      if (this.#stop !== undefined) return;
      const outcome = await this.#telling.tell(this.#events[place] as ProgressEvent);
      this.#outcomes[place] = outcome;
      if (outcome.status === "retry") return this.#failed(outcome.retryAfterMs);
      this.#failuresInARow = 0;
    }
  }

  #failed(retryAfterMs = 0): void {
    this.#failuresInARow += 1;
    if (retryAfterMs > 0) this.#stop = { ...heldBack("the time that the receiver asked for"), retryAfterMs };
    else if (this.#failuresInARow >= MAX_FAILURES) this.#stop ??= heldBack("a receiver in trouble");
  }
}

const heldBack = (by: string) => ({ status: "retry", code: "HELD_BACK", message: `it waits for ${by}` }) as const;

/** The places of the events: in stretches that wait for each other, of queues that do not. */
function stretches(events: readonly ProgressEvent[]): readonly (readonly (readonly number[])[])[] {
  const all: Map<string, number[]>[] = [];
  let before: string | undefined;
  for (const [place, { taskId = "" }] of events.entries()) {
    if (before === undefined || (taskId === "") !== (before === "")) all.push(new Map());
    before = taskId;
    const current = all.at(-1) as Map<string, number[]>;
    const queue = current.get(taskId);
    if (queue === undefined) current.set(taskId, [place]);
    else queue.push(place);
  }
  return all.map((queues) => [...queues.values()]);
}
