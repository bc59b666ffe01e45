/** Where the deliveries of an upgrade stand, and what became of one event: as stored, for people who ask. */

import { parseCursor } from "../../model/cursor.ts";
import type { ProgressEvent } from "../../model/event.ts";
import type { DeliveryStore } from "../../storage/storage.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { readLetters, type DeadLetter } from "./dead-letters.ts";
import type { LaneRecord } from "./lanes.ts";
import { parseRecord, type CheckRecord, type DeliveryRecord, type StopRecord } from "./record.ts";
import { REPEAT_MARK, type RepeatRecord } from "./repeats.ts";
import type { Router } from "./router.ts";
import { parseNotes, type SentNote } from "./sent.ts";

export interface DeliveryReport {
  readonly notifier: string;
  /** All that is selected up to here is settled or waits; absent when the record cannot be read. */
  readonly run?: number;
  readonly seq?: number;
  /** What waits to be tried again, or is held back. */
  readonly waiting: readonly LaneRecord[];
  /** What is told again as long as it holds. */
  readonly repeats: readonly RepeatRecord[];
  /** Dead letters that nobody has asked to tell again. */
  readonly deadLetters: number;
  readonly lastSent?: SentNote;
  /** The last call that did not deliver. */
  readonly lastError?: SentNote;
  /** Whether the notifier could tell, when that was last asked. */
  readonly check?: CheckRecord;
  /** Since when the other side wants nothing more. */
  readonly stopped?: StopRecord;
  /** True if the notifier was in trouble when the record was written, so that nothing was sent for a while. */
  readonly isCircuitOpen: boolean;
}

/** What one notifier was told of one event. */
export interface EventReport {
  readonly notifier: string;
  readonly sent: readonly SentNote[];
  readonly deadLetter?: DeadLetter;
  readonly verdict: "delivered" | "dead" | "waiting" | "not_reached" | "not_sent";
  /** Why, in a phrase. */
  readonly reason: string;
  /** What the rules say of it now; absent where they are not known. */
  readonly rules?: string;
}

/** The rules of the notifiers that are configured now, and the state that these ask. */
export interface KnownRules {
  readonly routers: ReadonlyMap<string, Router>;
  readonly state: UpgradeProgress;
}

/** One that only waited for another has no error of its own. */
const isError = ({ outcome, code }: SentNote): boolean => outcome !== "delivered" && code !== "HELD_BACK";

export async function deliveryReports(store: DeliveryStore): Promise<readonly DeliveryReport[]> {
  const reports: DeliveryReport[] = [];
  for (const notifier of await store.list()) {
    const record = await recordOf(store, notifier);
    const letters = await standingLetters(store, notifier, record);
    const notes = parseNotes(await store.readSent(notifier));
    const [lastSent, lastError] = [notes.at(-1), notes.findLast(isError)];
    const { lanes = [], repeats = [], check, stopped, isCircuitOpen = false } = record ?? {};
    reports.push({
      notifier,
      ...(record === undefined ? {} : { run: record.run, seq: parseCursor(record.cursor).seq }),
      waiting: lanes,
      repeats,
      deadLetters: letters.length,
      ...(lastSent === undefined ? {} : { lastSent }),
      ...(lastError === undefined ? {} : { lastError }),
      ...(check === undefined ? {} : { check }),
      ...(stopped === undefined ? {} : { stopped }),
      isCircuitOpen,
    });
  }
  return reports;
}

export async function eventReports(
  store: DeliveryStore,
  {
    run,
    event,
    rules,
  }: { readonly run: number; readonly event: ProgressEvent; readonly rules?: KnownRules | undefined },
): Promise<readonly EventReport[]> {
  const reports: EventReport[] = [];
  const names = new Set([...(await store.list()), ...(rules?.routers.keys() ?? [])]);
  for (const notifier of [...names].sort()) {
    const record = await recordOf(store, notifier);
    const sent = parseNotes(await store.readSent(notifier)).filter(
      ({ id }) => id === event.id || id.startsWith(`${event.id}${REPEAT_MARK}`),
    );
    const deadLetter = (await standingLetters(store, notifier, record)).findLast(({ id }) => id === event.id);
    const known = { notifier, sent, ...(deadLetter === undefined ? {} : { deadLetter }) };
    const said = rules && saidByRules(event, rules, notifier);
    const verdict = verdictOf(known, record, { run, seq: event.seq, id: event.id });
    reports.push({ ...known, ...verdict, ...(said === undefined ? {} : { rules: said }) });
  }
  return reports;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function verdictOf(
  { sent, deadLetter }: Pick<EventReport, "sent" | "deadLetter">,
  record: DeliveryRecord | undefined,
  { run, seq, id }: { readonly run: number; readonly seq: number; readonly id: string },
): Pick<EventReport, "verdict" | "reason"> {
  const taken = sent.findLast((note) => note.outcome === "delivered" && note.id === id);
  if (taken !== undefined) return { verdict: "delivered", reason: `taken at ${taken.at}` };
  if (deadLetter !== undefined) {
    const { code, message, attempts } = deadLetter;
    return { verdict: "dead", reason: `given up after ${counted(attempts, "attempt")}: ${code}: ${message}` };
  }
  const lane = record?.lanes.find((each) => each.run === run && each.seq === seq);
  if (lane !== undefined)
    return {
      verdict: "waiting",
      reason: `${lane.reason ?? "next of its key"}; tried ${counted(lane.attempts, "time")}`,
    };
  const isReached =
    record !== undefined && (record.run > run || (record.run === run && parseCursor(record.cursor).seq >= seq));
  if (record === undefined) return { verdict: "not_reached", reason: "it was never told of this upgrade" };
  const trouble = record.check?.message === undefined ? "" : `: it cannot be told: ${record.check.message}`;
  if (!isReached) return { verdict: "not_reached", reason: `the delivery has not come so far${trouble}` };
  const behind = record.lanes.find((each) => each.run === run && each.seq < seq && seq <= each.last);
  const passed = "no rule selected it, or it was sent longer ago than is kept";
  return {
    verdict: "not_sent",
    reason: behind === undefined ? passed : `${passed}, or it waits behind event ${behind.seq}`,
  };
}

function saidByRules(event: ProgressEvent, { routers, state }: KnownRules, notifier: string): string | undefined {
  const routing = routers.get(notifier)?.route(event, state);
  if (routing === undefined) return undefined;
  if ("skip" in routing) return `select it not: ${routing.skip}`;
  const { by = "a rule", holdUntilMs } = routing;
  const held = holdUntilMs === undefined ? "" : `, to be told at ${new Date(holdUntilMs).toISOString()}`;
  return `${by} selects it${held}`;
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
