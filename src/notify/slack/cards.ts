/** Which message of Slack's is the card of which run of an upgrade. */

import type { NotifierMemory } from "../notifier.ts";

/** Keeps a small text for each run of an upgrade, over restarts. */
export interface CardStore {
  /** What was saved last; undefined when nothing was. */
  load(key: string): Promise<string | undefined>;
  /** @param key - the run and the id of the upgrade, as `1 upgrade-123`. */
  save(key: string, text: string): Promise<void>;
}

/** Where a card is. */
export interface CardPlace {
  readonly channel: string;
  readonly ts: string;
}

const MAX_REMEMBERED = 1000;

/** What a delivery keeps for one run; without a delivery nothing is kept beyond the process. */
export function cardsIn(memory: NotifierMemory | undefined): CardStore {
  return {
    load: async () => memory?.text,
    save: async (_key, text) => memory?.keep(text),
  };
}

/** Keeps the newest of so many. */
export function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}

/** The place that a saved text names; undefined for any other text. */
export function parsePlace(text: string | undefined): CardPlace | undefined {
  if (text === undefined) return undefined;
  try {
    const { channel, ts } = JSON.parse(text) as Partial<CardPlace>;
    return typeof channel === "string" && typeof ts === "string" ? { channel, ts } : undefined;
  } catch {
    return undefined;
  }
}
