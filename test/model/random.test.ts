import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/model/json.ts";
import { fold, testLog, type TestLog } from "./log.ts";
import { SimpleUpgrade } from "./simple-model.ts";
import { stepsOf, take } from "./steps.ts";

const isLong = process.env["MILEPOST_LONG"] === "1";

describe("random histories (M02)", () => {
  it(
    "[E1, T1, U1] command by command do what a second reading of the rules says, and replay to the same bytes",
    { timeout: isLong ? 3_600_000 : 60_000 },
    () => {
      const numRuns = isLong ? 200_000 : 1_000;
      let events = 0;
      fc.assert(
        fc.property(stepsOf(200), (steps) => {
          const log = testLog();
          const model = new SimpleUpgrade();
          for (const step of steps) {
            const expected = model.take(step);
            const found = take(log, step);
            if (found !== expected)
              throw new Error(`${JSON.stringify(step.command)}: ${found}, but the rules say ${expected}`);
            agree(log, model);
          }
          events += log.events.length;
          if (canonicalJson(fold(log.events)) !== canonicalJson(log.state)) throw new Error("replay is not live");
        }),
        { numRuns },
      );
      console.log(`M02: ${numRuns} sequences, ${events} events`);
      expect(events).toBeGreaterThan(10_000);
    },
  );
});

/** Everything that both models know. */
function agree({ state }: TestLog, model: SimpleUpgrade): void {
  same("upgrade", "status", state.status, model.status);
  same("upgrade", "phase", state.currentPhase, model.phase);
  same("upgrade", "tasks", state.tasks.size, model.tasks.size);
  same("upgrade", "insights", state.insights.length, model.insights.size);
  for (const { id } of state.insights) same(id, "insight", model.insights.has(id), true);
  near("upgrade", state.overallPercentage, model.percentage(null));
  for (const [id, expected] of model.tasks) {
    const task = state.tasks.get(id);
    if (task === undefined) throw new Error(`${id} is missing`);
    same(id, "status", task.status, expected.status);
    same(id, "attempt", task.attempt, expected.attempt);
    same(id, "attempts", task.attempts.length, expected.failures);
    same(id, "steps", task.completedSteps, expected.steps);
    same(id, "total", task.totalSteps, expected.total);
    same(id, "seen", task.lastSeenMs, expected.seen);
    same(id, "waiting", task.waitingOn?.name ?? null, expected.waiting);
    if (model.hasChildren(id)) near(id, task.percentage, model.percentage(id));
    else {
      same(id, "percentage", task.percentage, expected.percentage);
      same(id, "measured", task.isMeasured, expected.measured);
    }
  }
}

/** Told apart by four values and no object: there are millions of comparisons. */
function same(id: string, what: string, found: unknown, expected: unknown): void {
  if (Object.is(found, expected)) return;
  throw new Error(`${what} of ${id} is ${String(found)}, but the rules say ${String(expected)}`);
}

/** Rolled-up percentages are kept to two decimals. */
function near(id: string, found: number, expected: number): void {
  const isFar = Math.abs(found - expected) > 0.011 || (found === 100) !== (expected === 100);
  if (isFar) throw new Error(`percentage of ${id} is ${found}, but the rules say ${expected}`);
}
