/** Random histories: what a caller may do, in any order, with time passing and writers coming and going. */

import fc from "fast-check";
import { outcome, testLog, type TestLog } from "./log.ts";

export interface Step {
  /** A command as foreign input; absent when only time passes. */
  readonly command?: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly passMs: number;
  /** How far the wall clock jumps, before the command. */
  readonly jumpMs: number;
  /** True when a new writer opens the log first, without the last one having closed it. */
  readonly opens: boolean;
}

const taskId = fc.constantFrom("a", "b", "c", "d", "e");
const message = fc.option(fc.constantFrom("one", "two"), { nil: undefined, freq: 2 });
const details = fc.option(fc.constantFrom({ n: 1 }, { n: 2 }), { nil: undefined, freq: 3 });
const percentage = fc.oneof(fc.constantFrom(0, 100, 50), fc.double({ min: 0, max: 100, noNaN: true }));

const steps = fc.record({ completedSteps: fc.nat({ max: 5 }), totalSteps: fc.constantFrom(undefined, 3, 5) });
const report = fc.oneof(
  fc.record({ percentage }),
  steps,
  fc.record({ totalSteps: fc.constantFrom(4, 8), unit: fc.constant("nodes") }),
  fc.record({ totalSteps: fc.constantFrom(2, 8), percentage }),
  fc.constant({}),
);

const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("addTask"),
      taskId,
      taskName: fc.constant("Task"),
      parentTaskId: fc.option(taskId, { nil: null, freq: 2 }),
      weight: fc.constantFrom(1, 1, 2, 0),
      totalSteps: fc.constantFrom(null, null, 4),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("startTask"), taskId, message, details }) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(report, fc.record({ type: fc.constant("updateTaskProgress"), taskId, message, details }))
      .map(([position, rest]) => ({ ...rest, ...position })),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom("completeTask", "retryTask", "pauseTask", "resumeTask", "skipTask", "cancelTask"),
      taskId,
      message,
      details,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("failTask"), taskId, errorMessage: fc.constant("broke"), details }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("heartbeat", "clearWaitingOn"), taskId }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("appendLog"), taskId, text: fc.constantFrom("x", "yy") }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("setWaitingOn"),
      taskId,
      waitingOn: fc.record({ kind: fc.constant("pod"), name: fc.constantFrom("p", "q") }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom("startUpgrade", "setCurrentPhase"),
      phase: fc.constantFrom("One", "Two"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("pauseUpgrade", "resumeUpgrade"), message }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("raiseInsight"),
      insight: fc.record({
        id: fc.constantFrom("i", "j"),
        level: fc.constant("info"),
        message: fc.constantFrom("x", "y"),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("clearInsight"), insightId: fc.constantFrom("i", "j") }) },
);
const ending = fc.record({
  type: fc.constantFrom("completeUpgrade", "failUpgrade", "cancelUpgrade"),
  errorMessage: fc.constant("broke"),
});

const step: fc.Arbitrary<Step> = fc.record({
  command: fc.oneof({ weight: 60, arbitrary: command }, { weight: 1, arbitrary: ending }),
  passMs: fc.constantFrom(0, 1, 500, 12_000),
  jumpMs: fc.constantFrom(0, 0, 0, 0, 0, 3_600_000, -3_600_000),
  opens: fc.constantFrom(false, false, false, false, false, false, true),
});

/** Up to `maxLength` steps. */
export function stepsOf(maxLength: number): fc.Arbitrary<readonly Step[]> {
  return fc.array(step, { maxLength, size: "max" });
}

/** Takes one step; the result as {@link outcome} tells it. */
export function take(log: TestLog, { command: input, passMs, jumpMs, opens }: Step): string {
  log.pass(passMs).jump(jumpMs);
  if (opens) log.open();
  return outcome(log, input);
}

/** The log that these steps lead to. */
export function logOf(all: readonly Step[]): TestLog {
  const log = testLog();
  for (const one of all) take(log, one);
  return log;
}
