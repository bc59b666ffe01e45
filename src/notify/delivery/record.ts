/** Where a delivery stands, as it is stored. */

import type { LaneRecord } from "./lanes.ts";
import type { RepeatRecord } from "./repeats.ts";

/** Dead letters that are told again: from `next` up to `until`, places in the file of dead letters. */
export interface RedriveRecord {
  readonly next: number;
  readonly until: number;
}

/** When the notifier was last asked whether it could tell, and why it could not. */
export interface CheckRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly code?: string;
  readonly message?: string;
}

/** The other side wants nothing more; it holds until somebody asks for a redrive, that is, while `until` is the redrive's. */
export interface StopRecord extends CheckRecord {
  readonly until: number;
}

export interface DeliveryRecord {
  readonly version: 1;
  readonly run: number;
  /** What is selected up to here was taken, is a dead letter, or waits in a lane. */
  readonly cursor: string;
  readonly lanes: readonly LaneRecord[];
  readonly redrive: RedriveRecord;
  /** What is told again as long as it holds. */
  readonly repeats?: readonly RepeatRecord[];
  /** What the notifier keeps, by run. */
  readonly memory?: Readonly<Record<string, string>>;
  readonly stopped?: StopRecord;
  readonly check?: CheckRecord;
  /** True if nothing was sent then, since the notifier was in trouble (`circuit.ts`). */
  readonly isCircuitOpen?: boolean;
  /** ISO 8601. */
  readonly savedAt: string;
}

export function formatRecord(record: DeliveryRecord): string {
  return JSON.stringify(record, undefined, 1);
}

/** Undefined for what is no record: damaged, or of a later version. */
export function parseRecord(text: string): DeliveryRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<DeliveryRecord>;
    const { version, run, cursor, lanes, redrive, repeats, memory, savedAt } = record;
    const isSound =
      version === 1 &&
      isCount(run) &&
      run > 0 &&
      typeof cursor === "string" &&
      Array.isArray(lanes) &&
      lanes.every(isLane) &&
      isCount(redrive?.next) &&
      isCount(redrive?.until) &&
      (repeats === undefined || (Array.isArray(repeats) && repeats.every(isRepeat))) &&
      (memory === undefined || Object.values(memory).every((text) => typeof text === "string")) &&
      !Number.isNaN(Date.parse(savedAt as string));
    return isSound ? (record as DeliveryRecord) : undefined;
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isLane(value: unknown): value is LaneRecord {
  const { run, key, seq, last, told, attempts, ageMs, nextInMs, reason } = (value ?? {}) as Record<string, unknown>;
  return (
    [run, seq, last, attempts, ageMs, nextInMs].every(isCount) &&
    typeof key === "string" &&
    Array.isArray(told) &&
    told.every(isCount) &&
    (reason === undefined || typeof reason === "string")
  );
}

function isRepeat(value: unknown): value is RepeatRecord {
  const { run, seq, key, everyMs, sinceMs, told } = (value ?? {}) as Record<string, unknown>;
  return [run, seq, everyMs, sinceMs, told].every(isCount) && everyMs !== 0 && typeof key === "string";
}
