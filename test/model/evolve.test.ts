import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evolve } from "../../src/model/evolve.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { taskDurationMs, type Task } from "../../src/model/task.ts";
import { upgradeDurationMs, upgradeFromJson, type UpgradeJson } from "../../src/model/upgrade.ts";
import { emptyState, fold, testLog } from "./log.ts";
import { logOf, stepsOf, take } from "./steps.ts";

/** Freezes all that can be reached by properties; a class keeps its own secrets. */
const deepFreeze = <T>(value: T): T => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
};
const throughJson = (state: unknown) => upgradeFromJson(JSON.parse(JSON.stringify(state)) as UpgradeJson);

describe("evolve", () => {
  it("[E2] changes neither the state nor the event, and leaves every earlier state as it was", () => {
    fc.assert(
      fc.property(stepsOf(60), (steps) => {
        const { events } = logOf(steps);
        let state = deepFreeze(emptyState);
        const history: [state: typeof state, text: string][] = [];
        for (const event of events) {
          state = deepFreeze(evolve(state, deepFreeze(event)));
          for (const task of state.tasks.values()) deepFreeze(task);
          history.push([state, canonicalJson(state)]);
        }
        for (const [before, text] of history) expect(canonicalJson(before)).toBe(text);
      }),
      { numRuns: 200 },
    );
  });

  it("[E1] gives the same bytes whenever it is asked, and for events that came through JSON", () => {
    fc.assert(
      fc.property(stepsOf(80), (steps) => {
        const log = logOf(steps);
        const events = JSON.parse(JSON.stringify(log.events)) as ProgressEvent[];
        expect(canonicalJson(fold(events))).toBe(canonicalJson(log.state));
        expect(log.state.seq).toBe(events.length);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
      }),
      { numRuns: 300 },
    );
  });

  it("[E4] a state goes through JSON at any seq and goes on identically", () => {
    fc.assert(
      fc.property(stepsOf(60), fc.nat(), (steps, at) => {
        const { events, state } = logOf(steps);
        const cut = at % (events.length + 1);
        const before = fold(events.slice(0, cut));
        const restored = throughJson(before);
        expect(canonicalJson(restored)).toBe(canonicalJson(before));
        expect(canonicalJson([restored.tasks.counts, restored.tasks.rollup])).toBe(
          canonicalJson([before.tasks.counts, before.tasks.rollup]),
        );
        expect(canonicalJson(fold(events.slice(cut), restored))).toBe(canonicalJson(state));
      }),
      { numRuns: 300 },
    );
  });

  it("[E5] a progress event that a later one of its task replaces leaves no trace", () => {
    fc.assert(
      fc.property(stepsOf(80), fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (steps, drops) => {
        const { events, state } = logOf(steps);
        let n = 0;
        const kept = events.filter((event, index) => {
          if (event.type !== "task.progressed") return true;
          const isReplaced = events
            .slice(index + 1)
            .some((later) => later.type === "task.progressed" && later.taskId === event.taskId);
          return !(isReplaced && (drops[n++ % drops.length] ?? true));
        });
        expect(canonicalJson(fold(kept))).toBe(canonicalJson(state));
      }),
      { numRuns: 1_000 },
    );
  });

  it("[E5] the text of a log line is not in the state", () => {
    const log = testLog();
    log.give({ type: "addTask", taskId: "t", taskName: "Task" });
    log.give({ type: "appendLog", taskId: "t", text: "a line that nobody keeps" });
    expect(canonicalJson(log.state)).not.toContain("nobody keeps");
  });
});

describe("decide and evolve", () => {
  it("[E7] an event that says where a task stands says what the state shows", () => {
    fc.assert(
      fc.property(stepsOf(60), (steps) => {
        let state = emptyState;
        for (const event of logOf(steps).events) {
          state = evolve(state, event);
          if (!("taskId" in event) || !("attempt" in event)) continue;
          const { status, attempt, percentage, completedSteps = null, totalSteps = null, unit = null } = event;
          expect(state.tasks.get(event.taskId)).toMatchObject({
            status,
            attempt,
            percentage,
            completedSteps,
            totalSteps,
            unit,
            lastSeq: event.seq,
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  it("[E2] decide changes neither the state nor the command", () => {
    fc.assert(
      fc.property(stepsOf(40), (steps) => {
        const log = testLog();
        for (const step of steps) {
          deepFreeze(log.state);
          for (const task of log.state.tasks.values()) deepFreeze(task);
          const refused = take(log, deepFreeze(step));
          expect(refused).not.toMatch(/TypeError/);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("evolve with events that it cannot place", () => {
  const log = testLog();
  log.give({ type: "addTask", taskId: "t", taskName: "Task" });
  log.give({ type: "updateTaskProgress", taskId: "t", percentage: 40 });
  const next = (body: object) =>
    ({ ...log.events.at(-1), seq: 9, cursor: "log1.term1.9", ...body }) as unknown as ProgressEvent;
  const withoutPlace = (state: typeof log.state) => canonicalJson({ ...state, seq: 0, cursor: "", clock: null });
  const added = (fields: object) => ({
    type: "task.added",
    taskName: "New",
    taskType: "cleanup",
    status: "not_started",
    parentTaskId: null,
    weight: 1,
    totalSteps: null,
    unit: null,
    expectedMs: null,
    details: null,
    ...fields,
  });

  it.each([
    ["of a type of the future", { type: "task.teleported", taskId: "t", to: "x" }],
    ["of a type without a task", { type: "fleet.grew" }],
    ["of a type named like a property", { type: "toString" }],
    ["about a task that is not there", { type: "task.completed", taskId: "zzz" }],
    ["about a task named like a property", { type: "task.progressed", taskId: "__proto__" }],
    ["that adds a task again", added({ taskId: "t", weight: 7, parentTaskId: "t" })],
  ])("[E3] %s moves the place in the log and nothing else", (_name, body) => {
    const after = evolve(log.state, next(body));
    expect([after.seq, after.cursor]).toEqual([9, "log1.term1.9"]);
    expect(withoutPlace(after)).toBe(withoutPlace(log.state));
  });

  it.each(["zzz", "new"])("[E3] a task whose parent %s is missing stands at the top", (parentTaskId) => {
    const after = evolve(log.state, next(added({ taskId: "new", parentTaskId })));
    expect(after.tasks.get("new")).toMatchObject({ parentTaskId: null });
    expect(after.overallPercentage).toBe(20);
    // The parent that comes too late does not take it over, and a snapshot in between changes nothing.
    const late = (state: typeof after) => evolve(state, next(added({ taskId: "zzz", seq: 10 })));
    expect(canonicalJson(late(throughJson(after)))).toBe(canonicalJson(late(after)));
    expect(late(after).tasks.hasChildren("zzz")).toBe(false);
    expect(after.tasks.ancestors("new")).toEqual([]);
  });
});

describe("log time", () => {
  it("[E6] is monotonic within a term, whatever the wall clock does", () => {
    const log = testLog();
    log.give({ type: "startUpgrade" });
    log.give({ type: "addTask", taskId: "t", taskName: "Task" });
    log.give({ type: "startTask", taskId: "t" });
    for (const jump of [
      -3_600_000,
      86_400_000,
      -86_400_000 * 365 * 60,
      Date.parse("2038-01-19T03:14:08Z") - Date.parse("2026-03-01T08:00:00Z"),
    ])
      log.pass(100).jump(jump).give({ type: "updateTaskProgress", taskId: "t", percentage: 1 });
    log.pass(100).give({ type: "completeTask", taskId: "t" });
    expect(taskDurationMs(log.state.tasks.get("t") as Task, 1e12)).toBe(500);
    expect(upgradeDurationMs(log.state, log.state.clock.lastMs)).toBe(500);
  });

  it("[E6] moves on by the wall difference between terms, and never goes back", () => {
    const log = testLog();
    log.give({ type: "startUpgrade" });
    log.pass(1_000).give({ type: "addTask", taskId: "t", taskName: "Task" });
    log.pass(60_000).open(250);
    expect(log.state.clock).toMatchObject({ lastMs: 61_000, baseMs: 60_750 });
    log.pass(500).give({ type: "startTask", taskId: "t" });
    expect(log.state.clock.lastMs).toBe(61_500);
    log.pass(1_000).jump(-3_600_000).open();
    expect(log.state.clock.lastMs).toBe(61_500);
    log.pass(10).give({ type: "completeTask", taskId: "t" });
    expect(taskDurationMs(log.state.tasks.get("t") as Task, 0)).toBe(10);
  });

  it("[E6, T11] gives no negative duration over any terms and jumps, and no moment before an earlier one", () => {
    fc.assert(
      fc.property(stepsOf(60), (steps) => {
        const log = testLog();
        let last = 0;
        for (const step of steps) {
          take(log, step);
          const { lastMs } = log.state.clock;
          expect(lastMs).toBeGreaterThanOrEqual(last);
          last = lastMs;
          for (const task of log.state.tasks.values()) {
            expect(taskDurationMs(task, lastMs) ?? 0).toBeGreaterThanOrEqual(0);
            expect(Math.max(task.lastSeenMs, task.lastAdvanceMs, task.pausedMs)).toBeLessThanOrEqual(lastMs);
            for (const attempt of task.attempts)
              expect(attempt.endedMs - (attempt.startedMs ?? 0)).toBeGreaterThanOrEqual(0);
          }
          expect(upgradeDurationMs(log.state, lastMs) ?? 0).toBeGreaterThanOrEqual(0);
          for (const stay of log.state.phases)
            expect((stay.endedMs ?? lastMs) - stay.startedMs).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("[E6] survives a wall time that is none", () => {
    const log = testLog();
    const opened = { ...log.events[0], seq: 2, time: "yesterday", ms: 5 } as ProgressEvent;
    expect(
      evolve(evolve(log.state, opened), { ...opened, seq: 3, time: "2026-03-01T08:00:00.000Z" }).clock,
    ).toMatchObject({ lastMs: 0, baseMs: -5 });
  });
});
