/**
 * What is told again as long as it holds: one entry for a task, or the upgrade, that got stuck.
 *
 * A repeat is no event of the log. Which one it is follows from the time: the n-th is due n periods after the event, and its id is
 * made from the event's and n. So one that was under way when the process died is told again with the same id, or is followed by
 * the next one; those that fell into a time when nobody told are one. It ends when the router says that it holds no more, with the
 * next run, and after three days.
 */

import type { ProgressEvent } from "../../model/event.ts";
import type { ToldEvent } from "../notifier.ts";

/** As it stands in the record. */
export interface RepeatRecord {
  readonly run: number;
  /** The event that is told again. */
  readonly seq: number;
  /** What it is about: a later event about the same takes its place. */
  readonly key: string;
  readonly everyMs: number;
  /** The event's own wall time, milliseconds since 1970. */
  readonly sinceMs: number;
  /** The number of the last one that was told, or passed over. */
  readonly told: number;
}

interface Entry extends Omit<RepeatRecord, "told"> {
  told: number;
  attempts: number;
  /** Monotonic time before which it is not tried again. */
  notBefore: number;
}

/** A repeat that is due. */
export interface DueRepeat {
  readonly entry: Readonly<Entry>;
  /** Which one it is: 1, 2 … */
  readonly count: number;
}

/** So many at most; of more, the oldest are told no more. */
const MAX_REPEATS = 50;
const MAX_AGE_MS = 72 * 3_600_000;

export class Repeats {
  readonly #entries = new Map<string, Entry>();

  constructor(records: readonly RepeatRecord[] = []) {
    for (const record of records) this.#entries.set(nameOf(record), { ...record, attempts: 0, notBefore: -Infinity });
  }

  /** Undefined when there are none. */
  get records(): readonly RepeatRecord[] | undefined {
    if (this.#entries.size === 0) return undefined;
    return [...this.#entries.values()].map(({ attempts: _attempts, notBefore: _notBefore, ...record }) => record);
  }

  add(event: ProgressEvent, { run, key, everyMs }: Pick<RepeatRecord, "run" | "key" | "everyMs">): void {
    const sinceMs = Date.parse(event.time);
    const name = nameOf({ run, key });
    this.#entries.delete(name);
    this.#entries.set(name, {
      ...{ run, key, everyMs, sinceMs, seq: event.seq },
      ...{ told: 0, attempts: 0, notBefore: -Infinity },
    });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_REPEATS && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** One that is due. @param wall - milliseconds since 1970. */
  due(wall: number, monotonic: number): DueRepeat | undefined {
    for (const entry of this.#entries.values()) {
      const count = countAt(entry, wall);
      if (count > entry.told && monotonic >= entry.notBefore) return { entry, count };
    }
    return undefined;
  }

  /** Milliseconds until one is due; undefined when there are none. */
  dueInMs(wall: number, monotonic: number): number | undefined {
    const waits = [...this.#entries.values()].map((entry) => {
      const next = entry.sinceMs + (entry.told + 1) * entry.everyMs - wall;
      return Math.max(0, next, entry.notBefore - monotonic);
    });
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  isOld({ sinceMs }: Readonly<Entry>, wall: number): boolean {
    return wall - sinceMs > MAX_AGE_MS;
  }

  remove(entry: Readonly<Entry>): void {
    this.#entries.delete(nameOf(entry));
  }

  /** It was told, or there was no need to. */
  settle({ entry, count }: DueRepeat): void {
    Object.assign(entry, { told: count, attempts: 0, notBefore: -Infinity });
  }

  /** It was not taken. Returns how often that was so. */
  failed({ entry }: DueRepeat): number {
    return ((entry as Entry).attempts += 1);
  }

  /** Tried again after a monotonic time; by then it may be the next one's turn. */
  delay({ entry }: DueRepeat, notBefore: number): void {
    (entry as Entry).notBefore = notBefore;
  }
}

/** The n-th repeat of an event, as it is told. */
export function repeated(event: ProgressEvent, { entry, count }: DueRepeat): ToldEvent {
  const time = new Date(entry.sinceMs + count * entry.everyMs).toISOString();
  return { ...event, id: `${event.id}${REPEAT_MARK}${count}`, time, repeat: { count, since: event.time } };
}

/** Between an event's id and the number of the repeat. */
export const REPEAT_MARK = "-repeat-";

const countAt = ({ sinceMs, everyMs }: Entry, wall: number): number => Math.floor((wall - sinceMs) / everyMs);

const nameOf = ({ run, key }: Pick<RepeatRecord, "run" | "key">): string => `${run}/${key}`;
