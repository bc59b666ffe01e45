/** Which message of Slack's is the card of which upgrade. */

/** Keeps a small text for each upgrade, over restarts. */
export interface CardStore {
  /** What was saved last; undefined when nothing was. */
  load(upgradeId: string): Promise<string | undefined>;
  save(upgradeId: string, text: string): Promise<void>;
}

/** Where a card is, and of which run. */
export interface CardPlace {
  readonly channel: string;
  readonly ts: string;
  readonly run: number;
}

const MAX_REMEMBERED = 1000;

/** Remembers as long as the process lives: after that an upgrade gets another card. */
export function forgetfulCards(): CardStore {
  const texts = new Map<string, string>();
  return {
    load: async (upgradeId) => texts.get(upgradeId),
    save: async (upgradeId, text) => remember(texts, upgradeId, text),
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
    const { channel, ts, run } = JSON.parse(text) as Partial<CardPlace>;
    if (typeof channel !== "string" || typeof ts !== "string" || typeof run !== "number") return undefined;
    return { channel, ts, run };
  } catch {
    return undefined;
  }
}
