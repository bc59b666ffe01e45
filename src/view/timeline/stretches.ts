/**
 * Pauses and waits with their beginnings and ends. A state knows those that last and the sum of the pauses; where they lay is in
 * the log only. So they are gathered from its events, one by one, while they are folded.
 */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { sinceMs } from "../upgrade/log-time.ts";
import { safeText } from "../text/safe-text.ts";
import type { Moment } from "../task/task-view.ts";

/** A pause or a wait. Log time (ms); `toMs` is null while it lasts. */
export interface Stretch {
  readonly kind: "paused" | "waiting";
  readonly fromMs: number;
  readonly toMs: number | null;
  /** What was waited for, safe to show; null for a pause. */
  readonly on: string | null;
}

/** A stretch that has ended, with the event that ended it. */
interface Ended extends Stretch {
  readonly toMs: number;
  readonly endSeq: number;
}

/** The stretches of an upgrade that have ended by a moment. */
export interface Stretches {
  /** False if the log was not read from its beginning: then there may be others. */
  readonly isWhole: boolean;
  /** Of one task, or of the upgrade itself (`null`), that ended no later than the event `seq`, in order. */
  ended(taskId: string | null, seq: number): readonly Stretch[];
}

/** No log was read. */
export const NO_STRETCHES: Stretches = { isWhole: false, ended: () => [] };

/** So many are kept; beyond it the older half is forgotten. */
const MAX_STRETCHES = 10_000;

/** Gathers the stretches of a log. */
export class StretchLog implements Stretches {
  #isWhole = true;
  #count = 0;
  readonly #ended = new Map<string | null, Ended[]>();
  /** When each task began to wait for what it waits for. */
  readonly #waitingSinceMs = new Map<string, number>();

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Forgets what ended before the event `seq`: what is kept has a bound. */
  forgetBefore(seq: number): void {
    this.#isWhole = false;
    for (const [taskId, ended] of this.#ended) {
      const kept = ended.filter(({ endSeq }) => endSeq >= seq);
      this.#count -= ended.length - kept.length;
      if (kept.length === 0) this.#ended.delete(taskId);
      else if (kept.length < ended.length) this.#ended.set(taskId, kept);
    }
  }

  /** Takes the next event, with the states before and after it. */
  take(event: ProgressEvent, before: UpgradeProgress, after: UpgradeProgress): void {
    const atMs = after.clock.lastMs;
    if (before.pausedSinceMs !== null && after.pausedSinceMs === null)
      this.#add(null, { kind: "paused", fromMs: before.pausedSinceMs, toMs: atMs, on: null, endSeq: event.seq });
    if (!("taskId" in event)) return;
    const { taskId } = event;
    const [old, next] = [before.tasks.get(taskId), after.tasks.get(taskId)];
    if (old === undefined || next === undefined || old === next) return;
    if (old.pausedSinceMs !== null && next.pausedSinceMs === null)
      this.#add(taskId, { kind: "paused", fromMs: old.pausedSinceMs, toMs: atMs, on: null, endSeq: event.seq });
    if (old.waitingOn === next.waitingOn) return;
    const fromMs = this.#waitingSinceMs.get(taskId);
    // A change of its message is the same wait.
    if (old.waitingOn !== null && next.waitingOn !== null && old.waitingOn.since === next.waitingOn.since) return;
    if (old.waitingOn !== null && fromMs !== undefined) {
      const on = safeText(`${old.waitingOn.kind} ${old.waitingOn.name}`);
      this.#add(taskId, { kind: "waiting", fromMs, toMs: atMs, on, endSeq: event.seq });
    }
    if (next.waitingOn === null) this.#waitingSinceMs.delete(taskId);
    else this.#waitingSinceMs.set(taskId, atMs);
  }

  ended(taskId: string | null, seq: number): readonly Stretch[] {
    const all = this.#ended.get(taskId) ?? [];
    return all.every(({ endSeq }) => endSeq <= seq) ? all : all.filter(({ endSeq }) => endSeq <= seq);
  }

  #add(taskId: string | null, stretch: Ended): void {
    const known = this.#ended.get(taskId);
    if (known === undefined) this.#ended.set(taskId, [stretch]);
    else known.push(stretch);
    this.#count += 1;
    if (this.#count <= MAX_STRETCHES) return;
    const ends = [...this.#ended.values()].flatMap((all) => all.map(({ endSeq }) => endSeq)).sort((a, b) => a - b);
    this.forgetBefore(ends[ends.length >> 1] as number);
  }
}

/** All stretches of a task (or of the upgrade, `null`) up to the state: those that have ended, and those that last. */
export function stretchesOf(
  state: UpgradeProgress,
  taskId: string | null,
  { stretches, now }: { readonly stretches: Stretches; readonly now: Moment },
): readonly Stretch[] {
  const found = [...stretches.ended(taskId, state.seq)];
  const holder = taskId === null ? state : state.tasks.get(taskId);
  if (holder === undefined) return found;
  if (holder.pausedSinceMs !== null) found.push({ kind: "paused", fromMs: holder.pausedSinceMs, toMs: null, on: null });
  if ("waitingOn" in holder && holder.waitingOn !== null) {
    const { since, kind, name } = holder.waitingOn;
    const fromMs = now.logMs - sinceMs(since, now.asOfMs);
    found.push({ kind: "waiting", fromMs, toMs: null, on: safeText(`${kind} ${name}`) });
  }
  return found;
}
