/** What deliveries keep, in this process only. */

import { MilepostError, shown } from "../../errors.ts";
import type { DeliveryLock, DeliveryStore, StoredTexts } from "../storage.ts";

const MAX_SENT = 10_000;

/** Of one upgrade. */
export class MemoryDeliveries {
  readonly saved = new Map<string, string>();
  readonly deadLetters: string[] = [];
  readonly sent = new Map<string, string[]>();
  readonly locked = new Set<string>();
}

/** @param found - what is kept for the upgrade; undefined while it is not there. */
export function memoryDeliveries(upgradeId: string, found: () => MemoryDeliveries | undefined): DeliveryStore {
  const there = (): MemoryDeliveries => {
    const kept = found();
    if (kept !== undefined) return kept;
    throw new MilepostError("UNKNOWN_UPGRADE", `there is no upgrade ${shown(upgradeId)} to tell of`, {
      context: { upgradeId },
    });
  };
  return {
    list: () => [...(found()?.saved.keys() ?? [])].sort(),
    load: (name) => found()?.saved.get(name),
    save: async (name, text) => void there().saved.set(name, text),
    addDeadLetters: async (lines) => void there().deadLetters.push(...lines),
    readDeadLetters: (from, maxBytes = 65_536) => textsFrom(found()?.deadLetters ?? [], from, maxBytes),
    addSent: (name, lines) => {
      const all = found()?.sent;
      all?.set(name, [...(all.get(name) ?? []), ...lines].slice(-MAX_SENT));
    },
    readSent: (name) => found()?.sent.get(name) ?? [],
    lock: (name) => lockIn(there().locked, name),
  };
}

function textsFrom(all: readonly string[], from: number, maxBytes: number): StoredTexts {
  const lines: { text: string; next: number }[] = [];
  for (let at = from, bytes = 0; at < all.length && bytes < maxBytes; at++) {
    const text = all[at] as string;
    bytes += text.length;
    lines.push({ text, next: at + 1 });
  }
  return { lines, next: from + lines.length };
}

function lockIn(locked: Set<string>, name: string): DeliveryLock | undefined {
  if (locked.has(name)) return undefined;
  locked.add(name);
  let isHeld = true;
  return {
    isHeld: () => isHeld,
    release: () => {
      if (isHeld) locked.delete(name);
      isHeld = false;
    },
  };
}
