/**
 * One validator for each guarantee (G1 …): each takes what was observed and returns what it violates; nothing means that the
 * guarantee held. `planted-bugs.test.ts` shows that each of them can fail.
 */

import type { ProgressEvent } from "../../src/model/event.ts";
import { evolve } from "../../src/model/evolve.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { parseCursor } from "../../src/model/cursor.ts";
import { taskDurationMs } from "../../src/model/task.ts";
import { emptyUpgrade, upgradeDurationMs, type UpgradeProgress } from "../../src/model/upgrade.ts";

const MAX_VIOLATIONS = 5;
const few = (violations: string[]): string[] => violations.slice(0, MAX_VIOLATIONS);
const name = ({ seq, type }: { seq: number; type?: string }): string => `seq ${seq} (${type ?? "?"})`;

/** The fold of events, from nothing. */
function foldEvents(events: readonly ProgressEvent[]): UpgradeProgress | undefined {
  const [first] = events;
  if (first?.type !== "writer.opened") return undefined;
  const ids = { upgradeId: first.upgradeId, planId: "", clusterName: "" };
  return events.reduce(evolve, emptyUpgrade(ids, { cursor: `${first.logId}.0.0`, run: first.run }));
}

/** G1: whatever was acknowledged is stored, and is what was acknowledged. */
export function check_G1(acked: readonly ProgressEvent[], stored: readonly ProgressEvent[]): string[] {
  const bySeq = new Map(stored.map((event) => [event.seq, event]));
  return few(
    acked.flatMap((event) => {
      const found = bySeq.get(event.seq);
      if (found === undefined) return [`acknowledged ${name(event)} is not stored`];
      return found.id === event.id ? [] : [`stored ${name(found)} is not the one that was acknowledged`];
    }),
  );
}

/** G2: seq is 1, 2, 3 … and nothing stands twice. */
export function check_G2(stored: readonly ProgressEvent[]): string[] {
  const ids = new Set<string>();
  return few(
    stored.flatMap((event, index) => {
      const violations: string[] = [];
      if (event.seq !== index + 1) violations.push(`place ${index + 1} holds seq ${event.seq}`);
      if (parseCursor(event.cursor).seq !== event.seq) violations.push(`${name(event)} has the cursor of another`);
      if (ids.has(event.id)) violations.push(`${name(event)} repeats the id ${event.id}`);
      ids.add(event.id);
      return violations;
    }),
  );
}

/** What the openings after a crash showed. */
export interface Recovery {
  /** What the opening threw, if it did. */
  readonly error?: unknown;
  /** What was stored before any opening, after the first, and after the second. */
  readonly stored: readonly (readonly ProgressEvent[])[];
}

const text = (error: unknown): string => (error instanceof Error ? String(error) : JSON.stringify(error));

/** G3: opens by itself, and opening again changes nothing that was there. */
export function check_G3({ error, stored }: Recovery): string[] {
  if (error !== undefined) return [`opening failed: ${text(error)}`];
  const violations: string[] = [];
  for (const [index, after] of stored.entries()) {
    const before = stored[index - 1] ?? [];
    if (before.some((event, place) => after[place]?.id !== event.id))
      violations.push(`opening ${index} changed what was stored before it`);
  }
  return violations;
}

/** What happened to a tracker while its storage was in trouble. */
export interface Trouble {
  /** What commands threw. */
  readonly thrown: readonly unknown[];
  /** What reached nobody: unhandled rejections. */
  readonly unhandled: readonly unknown[];
  /** Every accepted event, in the order in which it was told. */
  readonly accepted: readonly ProgressEvent[];
  /** Looks taken meanwhile: what was on disk, and what the state said. */
  readonly looks: readonly {
    readonly stored: readonly ProgressEvent[];
    readonly accepted: number;
    readonly state: UpgradeProgress;
  }[];
  /** How each flush ended: "resolved", or the code of its error, and how many events were on disk right after it. */
  readonly flushes: readonly { readonly outcome: string; readonly accepted: number; readonly stored: number }[];
  /** What is on disk once the trouble is over and a last flush was asked for. */
  readonly stored: readonly ProgressEvent[];
}

/** G5: trouble is contained: it throws into no command, reorders nothing, is said, and ends by itself. */
export function check_G5(trouble: Trouble): string[] {
  const { accepted } = trouble;
  const violations = [
    ...trouble.thrown.map((error) => `a command threw ${String(error)}`),
    ...trouble.unhandled.map((error) => `nobody handled ${String(error)}`),
  ];
  for (const look of trouble.looks) {
    if (look.stored.some((event, index) => event.id !== accepted[index]?.id))
      violations.push(`what is on disk at ${look.accepted} is no beginning of what was accepted`);
    const isWaiting = look.stored.length < look.accepted;
    const isOver = ["completed", "failed", "cancelled", "not_started"].includes(look.state.status);
    if (isWaiting && !isOver && look.state.health?.state !== "degraded")
      violations.push(`${look.accepted - look.stored.length} events wait, and health is not degraded`);
  }
  for (const { outcome, accepted: until, stored } of trouble.flushes) {
    if (outcome === "resolved" && stored < until)
      violations.push(`a flush resolved with ${until - stored} events missing`);
    if (outcome !== "resolved" && outcome !== "STORAGE_DEGRADED") violations.push(`a flush rejected with ${outcome}`);
  }
  if (trouble.flushes.at(-1)?.outcome !== "resolved") violations.push("the flush after the trouble did not resolve");
  violations.push(...check_G1(accepted, trouble.stored));
  if (trouble.stored.length !== accepted.length)
    violations.push(`${trouble.stored.length} events are stored, ${accepted.length} were accepted`);
  return few(violations);
}

/** What one writer of several was answered. */
export interface WriterAnswers {
  readonly acked: readonly ProgressEvent[];
  /** "ok", or the code of the error, per command, in order. */
  readonly outcomes: readonly string[];
}

/** G6: one history holds all that any writer was acknowledged, one term after another; who is fenced stays fenced. */
export function check_G6(writers: readonly WriterAnswers[], stored: readonly ProgressEvent[]): string[] {
  const violations = writers.flatMap(({ acked }) => check_G1(acked, stored));
  const ended = new Set<string>();
  let current: string | undefined;
  for (const event of stored) {
    const { term } = parseCursor(event.cursor);
    if (term === current) continue;
    if (ended.has(term)) violations.push(`${name(event)} belongs to a term that had ended`);
    if (current !== undefined) ended.add(current);
    current = term;
  }
  for (const [index, { outcomes }] of writers.entries()) {
    const fencedAt = outcomes.indexOf("FENCED");
    if (fencedAt >= 0 && outcomes.slice(fencedAt).some((outcome) => outcome !== "FENCED"))
      violations.push(`writer ${index} was answered after it was fenced`);
  }
  return few(violations);
}

/** G7: wall time is a label: within a term `ms` never goes back, and no duration is negative or grows by a jump. */
export function check_G7(stored: readonly ProgressEvent[], monotonicMs: number): string[] {
  const violations: string[] = [];
  let last: { term: string; ms: number } | undefined;
  for (const event of stored) {
    const { term } = parseCursor(event.cursor);
    if (event.ms < 0 || (last?.term === term && event.ms < last.ms))
      violations.push(`${name(event)} goes back in time`);
    last = { term, ms: event.ms };
  }
  const state = foldEvents(stored);
  if (state === undefined) return violations;
  const now = state.clock.lastMs;
  const durations = [
    upgradeDurationMs(state, now),
    ...[...state.tasks.values()].map((task) => taskDurationMs(task, now)),
  ];
  for (const duration of durations) {
    if (duration !== null && (duration < 0 || duration > monotonicMs))
      violations.push(`a duration of ${duration} ms in ${monotonicMs} ms`);
  }
  return few(violations);
}

/** G9: folding what is stored gives the live state, byte for byte. */
export function check_G9(live: UpgradeProgress, stored: readonly ProgressEvent[]): string[] {
  const folded = foldEvents(stored);
  if (folded === undefined) return live.seq === 0 ? [] : ["nothing is stored"];
  return canonicalJson(folded) === canonicalJson(live) ? [] : [`replay at seq ${folded.seq} is not the live state`];
}

/** One telling: which event, and what was stored at that moment. */
export interface Telling {
  readonly event: ProgressEvent;
  readonly storedSeq: number;
}

/** G10: each event is told once, in order, after its append, whatever other callbacks do. */
export function check_G10(told: readonly Telling[], events: readonly ProgressEvent[]): string[] {
  const violations = told.flatMap(({ event, storedSeq }, index) => [
    ...(event.id === events[index]?.id
      ? []
      : [`telling ${index} is ${name(event)}, not ${name(events[index] ?? event)}`]),
    ...(storedSeq >= event.seq ? [] : [`${name(event)} was told before it was stored`]),
  ]);
  if (told.length !== events.length) violations.push(`${told.length} tellings of ${events.length} events`);
  return few(violations);
}
