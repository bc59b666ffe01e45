/** Where time travel stands, and how it moves. */

import { computed, effect, signal, untracked, type ReadonlySignal } from "@preact/signals";

import { isFinalUpgradeStatus } from "../../../../src/model/vocabulary.ts";
import { logTimeAt } from "../../../../src/view/upgrade/log-time.ts";
import { markBeside, marksOf, playSpeed, type Mark, type PlaySpeed } from "../../../../src/view/log/playing.ts";
import type { WholeLog } from "../../history/whole-log.ts";
import { now } from "../../now.ts";
import type { UpgradeStore } from "../../upgrade-store.ts";

/** A stretch of log time, ms. */
interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A log of so many events is read without being asked for: its marks are worth it. */
const SHORT_LOG = 5_000;
const READ_AFTER_MS = 800;
/** Marks are at least so far from each other, as a part of the width. */
const APART = 0.012;

export class TravelModel {
  /** The speed that was chosen; until then one at which there is something to see. */
  readonly speed: ReadonlySignal<PlaySpeed>;
  readonly chosenSpeed = signal<PlaySpeed | undefined>(undefined);
  /** What can be travelled: from the first event to now, or to the end. */
  readonly range: ReadonlySignal<Range>;
  /** Where the thumb stands, log time in ms. */
  readonly atMs: ReadonlySignal<number>;
  readonly marks: ReadonlySignal<readonly Mark[]>;
  readonly #store: UpgradeStore;
  readonly #isPlaying = signal(false);
  /** The moment that is played, between two events. */
  readonly #played = signal<number | undefined>(undefined);
  /** The moment that somebody wants to see and that is not read yet. */
  readonly #awaited = signal<number | undefined>(undefined);

  constructor(store: UpgradeStore) {
    this.#store = store;
    this.range = computed(() => rangeOf(store));
    this.atMs = computed(() => {
      const moment = this.#awaited.value ?? this.#played.value;
      return moment ?? (store.place.value && store.shown.value?.clock.lastMs) ?? this.range.value.toMs;
    });
    this.marks = computed(() =>
      marksOf(store.history.grown.value.log?.marks ?? [], { ...this.range.value, apart: APART }),
    );
    this.speed = computed(() => this.chosenSpeed.value ?? playSpeed(this.range.value.toMs - this.range.value.fromMs));
  }

  get isPlaying(): ReadonlySignal<boolean> {
    return this.#isPlaying;
  }

  get #log(): WholeLog | undefined {
    return this.#store.history.grown.peek().log;
  }

  get #lastSeq(): number {
    return this.#store.live.peek()?.seq ?? 0;
  }

  get #seq(): number {
    return this.#store.place.peek() ?? this.#lastSeq;
  }

  /** Reads a short log when the page has been there for a moment, and plays when asked to; returns what ends both. */
  begin(): () => void {
    const { live, history } = this.#store;
    const timer = setTimeout(() => {
      const seq = live.peek()?.seq;
      if (seq !== undefined && seq <= SHORT_LOG) history.load();
    }, READ_AFTER_MS);
    const stops = [
      effect(() => (this.#isPlaying.value ? untracked(() => this.#play()) : undefined)),
      effect(() => this.#goToAwaited()),
    ];
    return () => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
    };
  }

  /** To the last event at or before a log time (ms), once the log is read so far. */
  goToMoment(logMs: number): void {
    this.#stop();
    this.#awaited.value = logMs;
  }

  #goToAwaited(): void {
    const { grown, status } = this.#store.history;
    const [logMs, { log }] = [this.#awaited.value, grown.value];
    if (logMs === undefined || log === undefined) return;
    const isBeyond = logMs >= log.state.clock.lastMs;
    if (isBeyond && status.value.kind !== "ready") return;
    this.#awaited.value = undefined;
    this.#goTo(isBeyond ? undefined : log.seqAt(logMs));
  }

  /** So many events on, or back. */
  step(events: number): void {
    this.#stop();
    const next = this.#seq + events;
    if (next >= this.#lastSeq) this.goLive();
    else this.#goTo(Math.max(this.#log?.firstSeq ?? 1, next));
  }

  /** To the next mark, or back to the one before. */
  toMark(isBack: boolean): void {
    this.#stop();
    const isLive = this.#store.place.peek() === undefined;
    const entry = markBeside(this.#log?.marks ?? [], this.#seq + (isBack && isLive ? 1 : 0), isBack);
    if (entry !== undefined) this.#goTo(entry.seq);
    else if (!isBack) this.goLive();
  }

  /** Plays, or stops it. What plays from the end plays from the beginning. */
  toggle(): void {
    if (this.#isPlaying.peek()) return this.#stop();
    this.#store.history.load();
    if (this.#store.place.peek() === undefined) this.#goTo(this.#log?.firstSeq ?? 1);
    this.#isPlaying.value = true;
  }

  goLive(): void {
    this.#stop();
    this.#goTo(undefined);
  }

  #goTo(seq: number | undefined): void {
    this.#store.place.value = seq;
  }

  /** Whoever moves by hand does not want it to move by itself. */
  #stop(): void {
    this.#store.history.load();
    this.#isPlaying.value = false;
    this.#played.value = undefined;
    this.#awaited.value = undefined;
  }

  /** Moves on, frame by frame; returns what ends it. */
  #play(): () => void {
    let lastMs = performance.now();
    const next = (): void => {
      frame = requestAnimationFrame(next);
      const atMs = performance.now();
      const passedMs = (atMs - lastMs) * this.speed.peek();
      lastMs = atMs;
      const { history, shown } = this.#store;
      const [log, state] = [this.#log, shown.peek()];
      // What is not held yet is waited for.
      if (log === undefined || state === undefined || log.at(this.#seq) === undefined) return;
      const nextMs = (this.#played.peek() ?? state.clock.lastMs) + passedMs;
      if (nextMs >= log.state.clock.lastMs) return history.status.peek().kind === "ready" ? this.goLive() : undefined;
      this.#played.value = nextMs;
      // Near the border of what is held the place of a moment is a guess, which may have been too far.
      this.#goTo(Math.max(this.#seq, log.seqAt(nextMs)));
    };
    let frame = requestAnimationFrame(next);
    return () => cancelAnimationFrame(frame);
  }
}

function rangeOf({ live, history }: UpgradeStore): Range {
  const state = live.value;
  const { log } = history.grown.value;
  const fromMs = log?.fromMs ?? 0;
  if (state === undefined) return { fromMs, toMs: fromMs };
  const toMs = isFinalUpgradeStatus(state.status) ? state.clock.lastMs : logTimeAt(state, now.value);
  return { fromMs: Math.min(fromMs, toMs), toMs };
}
