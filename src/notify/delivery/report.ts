/** Where the deliveries of an upgrade stand, and what became of one event: as stored, for people who ask. */

import { parseCursor } from "../../model/cursor.ts";
import type { ProgressEvent } from "../../model/event.ts";
import type { DeliveryStore } from "../../storage/storage.ts";
import { readLetters, type DeadLetter } from "./dead-letters.ts";
import type { LaneRecord } from "./lanes.ts";
import { parseRecord, type DeliveryRecord } from "./record.ts";
import { parseNotes, type SentNote } from "./sent.ts";

export interface DeliveryReport {
  readonly notifier: string;
  /** All that is selected up to here is settled or waits; absent when the record cannot be read. */
  readonly run?: number;
  readonly seq?: number;
  /** What waits to be tried again, or is held back. */
  readonly waiting: readonly LaneRecord[];
  /** Dead letters that nobody has asked to tell again. */
  readonly deadLetters: number;
  readonly lastSent?: SentNote;
}

/** What one notifier was told of one event. */
export interface EventReport {
  readonly notifier: string;
  readonly sent: readonly SentNote[];
  readonly deadLetter?: DeadLetter;
  readonly verdict: "delivered" | "dead" | "waiting" | "not_reached" | "not_sent";
  /** Why, in a phrase. */
  readonly reason: string;
}

export async function deliveryReports(store: DeliveryStore): Promise<readonly DeliveryReport[]> {
  const reports: DeliveryReport[] = [];
  for (const notifier of await store.list()) {
    const record = await recordOf(store, notifier);
    const letters = await standingLetters(store, notifier, record);
    const lastSent = parseNotes(await store.readSent(notifier)).at(-1);
    reports.push({
      notifier,
      ...(record === undefined ? {} : { run: record.run, seq: parseCursor(record.cursor).seq }),
      waiting: record?.lanes ?? [],
      deadLetters: letters.length,
      ...(lastSent === undefined ? {} : { lastSent }),
    });
  }
  return reports;
}

export async function eventReports(
  store: DeliveryStore,
  { run, event }: { readonly run: number; readonly event: ProgressEvent },
): Promise<readonly EventReport[]> {
  const reports: EventReport[] = [];
  for (const notifier of await store.list()) {
    const record = await recordOf(store, notifier);
    const sent = parseNotes(await store.readSent(notifier)).filter(({ id }) => id === event.id);
    const deadLetter = (await standingLetters(store, notifier, record)).findLast(({ id }) => id === event.id);
    const known = { notifier, sent, ...(deadLetter === undefined ? {} : { deadLetter }) };
    reports.push({ ...known, ...verdictOf(known, record, { run, seq: event.seq }) });
  }
  return reports;
}

function verdictOf(
  { sent, deadLetter }: Pick<EventReport, "sent" | "deadLetter">,
  record: DeliveryRecord | undefined,
  { run, seq }: { readonly run: number; readonly seq: number },
): Pick<EventReport, "verdict" | "reason"> {
  const taken = sent.findLast(({ outcome }) => outcome === "delivered");
  if (taken !== undefined) return { verdict: "delivered", reason: `taken at ${taken.at}` };
  if (deadLetter !== undefined) {
    const { code, message, attempts } = deadLetter;
    return { verdict: "dead", reason: `given up after ${attempts} attempts: ${code}: ${message}` };
  }
  const lane = record?.lanes.find((each) => each.run === run && each.seq === seq);
  if (lane !== undefined)
    return { verdict: "waiting", reason: `${lane.reason ?? "next of its key"}; tried ${lane.attempts} times` };
  const isReached =
    record !== undefined && (record.run > run || (record.run === run && parseCursor(record.cursor).seq >= seq));
  if (!isReached) return { verdict: "not_reached", reason: "the delivery has not come so far" };
  const behind = record.lanes.find((each) => each.run === run && each.seq < seq && seq <= each.last);
  const passed = "no rule selected it, or it was sent longer ago than is kept";
  return {
    verdict: "not_sent",
    reason: behind === undefined ? passed : `${passed}, or it waits behind event ${behind.seq}`,
  };
}

async function recordOf(store: DeliveryStore, notifier: string): Promise<DeliveryRecord | undefined> {
  const text = await store.load(notifier);
  return text === undefined ? undefined : parseRecord(text);
}

/** Those that no redrive has tried again. */
async function standingLetters(
  store: DeliveryStore,
  notifier: string,
  record: DeliveryRecord | undefined,
): Promise<readonly DeadLetter[]> {
  const from = record?.redrive.next ?? 0;
  const { letters } = await readLetters(store, notifier, { from, max: Number.POSITIVE_INFINITY });
  return letters.map(({ letter }) => letter);
}
