/** Whether something is left to tell, as stored: found without taking the right to tell, and without folding the log. */

import { parseCursor } from "../../model/cursor.ts";
import type { DeliveryStore, Storage } from "../../storage/storage.ts";
import { findRequest } from "./dead-letters.ts";
import { parseRecord, type DeliveryRecord } from "./record.ts";

export type Left =
  /** The notifier was never told of this upgrade. */
  | "unknown"
  /** All is told, or is a dead letter. */
  | "nothing"
  | "something";

/** @throws STORAGE_UNUSABLE, CORRUPT. */
export async function leftOf(
  storage: Pick<Storage, "openReader" | "deliveries">,
  upgradeId: string,
  notifier: string,
): Promise<Left> {
  const store = storage.deliveries(upgradeId);
  const text = await store.load(notifier);
  if (text === undefined) return (await store.readSent(notifier)).length === 0 ? "unknown" : "something";
  const record = parseRecord(text);
  if (record === undefined || waits(record) || (await isAskedFor(store, notifier, record))) return "something";
  return (await isAtEnd(storage, upgradeId, record.cursor)) ? "nothing" : "something";
}

const waits = ({ lanes, repeats = [], redrive }: DeliveryRecord): boolean =>
  lanes.length > 0 || repeats.length > 0 || redrive.next < redrive.until;

async function isAskedFor(store: DeliveryStore, notifier: string, { redrive }: DeliveryRecord): Promise<boolean> {
  return (await findRequest(store, notifier, redrive.until)).until !== undefined;
}

/** True if nothing comes behind the cursor, and no run behind its; also for an upgrade that is gone. */
export async function isAtEnd(
  storage: Pick<Storage, "openReader">,
  upgradeId: string,
  cursor: string,
): Promise<boolean> {
  const reader = await storage.openReader(upgradeId);
  if (reader === undefined) return true;
  try {
    const { logId, seq } = parseCursor(cursor);
    if (reader.header.logId !== logId) return false;
    return (await reader.seek(seq)) && (await reader.read(4096)) === undefined;
  } catch {
    // No cursor, or another history: the delivery knows what to do.
    return false;
  } finally {
    reader.close();
  }
}
