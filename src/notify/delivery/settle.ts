/** What follows from the outcomes of one call: lanes, dead letters, and the record of what was sent. */

import type { ProgressEvent } from "../../model/event.ts";
import type { Outcome } from "../notifier.ts";
import { deadLetterOf, type DeadLetter } from "./dead-letters.ts";
import type { Lane, Lanes } from "./lanes.ts";
import { MAX_AGE_MS, retryDelayMs } from "./retry.ts";
import { sentNote, type SentNote } from "./sent.ts";

/** Events of one run that were told together, each with its key. */
export interface Told {
  readonly run: number;
  readonly events: readonly { readonly event: ProgressEvent; readonly key: string }[];
  /** For a lane's: the seq up to which it was read. */
  readonly through?: number;
}

export interface SettleContext {
  readonly notifier: string;
  readonly lanes: Lanes;
  /** Monotonic. */
  readonly now: number;
  /** ISO 8601. */
  readonly at: string;
  readonly random: () => number;
  /** False for a probe: that the notifier is in trouble is not held against an event. */
  readonly counts: boolean;
}

export interface Settled {
  readonly letters: readonly DeadLetter[];
  readonly notes: readonly SentNote[];
}

interface Ended {
  readonly event: ProgressEvent;
  readonly outcome: Outcome;
}

export function settle(told: Told, outcomes: readonly Outcome[], context: SettleContext): Settled {
  const letters: DeadLetter[] = [];
  const notes: SentNote[] = [];
  for (const [key, group] of byKey(told, outcomes)) {
    const lane = context.lanes.get(told.run, key);
    const head = lane?.seq;
    for (const { event, outcome } of group) {
      const attempt = event.seq === head ? (lane?.attempts ?? 0) + 1 : 1;
      notes.push(sentNote(event, outcome, { run: told.run, at: context.at, attempt }));
      if (outcome.status === "refused") letters.push(letterOf(event, outcome, { told, context, attempts: attempt }));
    }
    const first = group.findIndex(({ outcome }) => outcome.status === "retry");
    if (first >= 0) letters.push(...block({ told, key, group, first, lane }, context));
    else if (lane !== undefined) goOn(lane, (told.through ?? lane.last) + 1, context);
  }
  return { letters, notes };
}

function byKey({ events }: Told, outcomes: readonly Outcome[]): Map<string, Ended[]> {
  const groups = new Map<string, Ended[]>();
  for (const [index, { event, key }] of events.entries()) {
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push({ event, outcome: outcomes[index] as Outcome });
  }
  return groups;
}

interface Blocked {
  readonly told: Told;
  readonly key: string;
  readonly group: readonly Ended[];
  /** Which of the group has to be tried again first. */
  readonly first: number;
  readonly lane: Lane | undefined;
}

/** The key waits for its event, or goes on behind it when that was its last attempt. */
function block({ told, key, group, first, lane }: Blocked, context: SettleContext): readonly DeadLetter[] {
  const { event, outcome } = group[first] as Ended & { outcome: Outcome & { status: "retry" } };
  const { lanes, now, random, counts } = context;
  const isSame = lane?.seq === event.seq;
  const since = isSame ? lane.since : now;
  const attempts = (isSame ? lane.attempts : 0) + (counts ? 1 : 0);
  const behind = group.slice(first + 1);
  const waits = lanes.add({
    run: told.run,
    key,
    seq: event.seq,
    last: Math.max(lane?.last ?? 0, (group.at(-1) as Ended).event.seq),
    told: [
      ...(lane?.told ?? []).filter((seq) => seq > event.seq),
      ...behind.filter(({ outcome: { status } }) => status !== "retry").map(({ event: { seq } }) => seq),
    ],
    attempts,
    since,
    nextAt: now,
    reason: `${outcome.code}: ${outcome.message}`.slice(0, 300).toWellFormed(),
  });
  const delayMs = counts ? retryDelayMs(attempts, random, outcome.retryAfterMs) : 0;
  if (delayMs !== undefined && now - since < MAX_AGE_MS) {
    waits.nextAt = now + delayMs;
    return [];
  }
  goOn(waits, event.seq + 1, context);
  return [letterOf(event, outcome, { told, context, attempts: Math.max(1, attempts) })];
}

/** The next of the key, at once; nothing waits any more when there is none. */
function goOn(lane: Lane, seq: number, { lanes, now }: SettleContext): void {
  if (seq > lane.last) {
    lanes.remove(lane);
    return;
  }
  lane.seq = seq;
  lane.told = lane.told.filter((told) => told >= seq);
  lane.attempts = 0;
  lane.since = now;
  lane.nextAt = now;
  lane.reason = undefined;
}

function letterOf(
  event: ProgressEvent,
  { code, message }: Outcome & { readonly code: string; readonly message: string },
  { told, context, attempts }: { told: Told; context: SettleContext; attempts: number },
): DeadLetter {
  const { notifier, at } = context;
  return deadLetterOf(event, { notifier, run: told.run, at, attempts, code, message });
}
