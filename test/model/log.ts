/** A log in memory that stamps drafts the way a tracker does, so that the model is tested without a tracker or a storage. */

import { checkCommand, type Command } from "../../src/model/command.ts";
import { firstCursor, formatCursor } from "../../src/model/cursor.ts";
import { decide } from "../../src/model/decide.ts";
import type { Decision } from "../../src/model/decision.ts";
import { evolve } from "../../src/model/evolve.ts";
import type { EventDraft, ProgressEvent } from "../../src/model/event.ts";
import { emptyUpgrade, logTimeAt, type UpgradeProgress } from "../../src/model/upgrade.ts";

const WRITER = { program: "test", pid: 1, host: "here" };
const LOG_ID = "log1";

/** The state of a log before its first event. */
export const emptyState: UpgradeProgress = emptyUpgrade(
  { upgradeId: "upgrade-123", planId: "plan-456", clusterName: "my-cluster" },
  { cursor: firstCursor(LOG_ID) },
);

export interface TestLog {
  readonly events: readonly ProgressEvent[];
  readonly state: UpgradeProgress;
  /** Checks, decides and appends one command given as foreign input; the answer is its last event, or the event that it repeats. */
  give(input: unknown): ProgressEvent;
  /** What would be appended, as it is decided now. */
  decide(input: unknown): Decision;
  /** Stamps and folds one draft. */
  append(draft: EventDraft): ProgressEvent;
  /** Lets time pass on both clocks. */
  pass(ms: number): TestLog;
  /** Moves the wall clock alone. */
  jump(ms: number): TestLog;
  /** Begins the next term, `lateMs` before its first event. */
  open(lateMs?: number): TestLog;
}

/** An empty log with its first term open. The wall clock begins at a fixed time, the monotonic one at 0. */
export function testLog(start: UpgradeProgress = emptyState): TestLog {
  const events: ProgressEvent[] = [];
  let state = start;
  let wall = Date.parse("2026-03-01T08:00:00.000Z");
  let ms = 0;
  let terms = 0;
  const time = () => new Date(wall).toISOString();
  const now = () => ({ time: time(), logMs: state.clock.baseMs + ms });

  const log: TestLog = {
    get events() {
      return events;
    },
    get state() {
      return state;
    },
    append(draft) {
      const seq = state.seq + 1;
      const cursor = formatCursor({ logId: LOG_ID, term: `term${terms}`, seq });
      const { type, ...body } = draft;
      const event = {
        seq,
        cursor,
        ms,
        id: `id-${seq}`,
        type,
        time: time(),
        upgradeId: state.upgradeId,
        ...body,
      } as ProgressEvent;
      // What is folded is what a reader of the log gets.
      events.push(JSON.parse(JSON.stringify(event)) as ProgressEvent);
      state = evolve(state, events.at(-1) as ProgressEvent);
      return events.at(-1) as ProgressEvent;
    },
    decide: (input) => decide(state, checkCommand(input), now()),
    give(input) {
      const decision = log.decide(input);
      if ("repeats" in decision) return events[decision.repeats - 1] as ProgressEvent;
      return decision.drafts.map((draft) => log.append(draft)).at(-1) as ProgressEvent;
    },
    pass(passed) {
      wall += passed;
      ms += passed;
      return log;
    },
    jump(moved) {
      wall += moved;
      return log;
    },
    open(lateMs = 0) {
      terms += 1;
      ms = lateMs;
      const { planId, clusterName, run, seq, clock } = state;
      const logMs = logTimeAt(clock, wall);
      log.append({
        type: "writer.opened",
        logId: LOG_ID,
        term: `term${terms}`,
        after: seq,
        logMs,
        run,
        planId,
        clusterName,
        writer: WRITER,
      });
      return log;
    },
  };
  return log.open();
}

/** The state that these events fold to. */
export function fold(events: readonly ProgressEvent[], start: UpgradeProgress = emptyState): UpgradeProgress {
  return events.reduce(evolve, start);
}

/** What a command did: the types of the events appended, `=` for a repeat, or the code of its refusal. A refusal must leave no trace. */
export function outcome(log: TestLog, input: unknown): string {
  const before = log.state;
  const length = log.events.length;
  try {
    log.give(input);
    return (
      log.events
        .slice(length)
        .map(({ type }) => type)
        .join("+") || "="
    );
  } catch (error) {
    if (log.events.length !== length || log.state !== before)
      throw new Error(`refused, and changed the log: ${String(error)}`, { cause: error });
    return (error as { code?: string }).code ?? String(error);
  }
}

/** `given(...commands).when(command)` for one behaviour: the drafts decided, without the envelope. */
export function given(...commands: readonly Command[]): {
  readonly when: (command: Command) => readonly EventDraft[];
  readonly log: TestLog;
} {
  const log = testLog();
  for (const command of commands) log.give(command);
  return {
    log,
    when(command) {
      const decision = log.decide(command);
      return "drafts" in decision ? decision.drafts : [];
    },
  };
}
