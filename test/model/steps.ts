/** Random histories: what a caller may do, in any order, with time passing and writers coming and going. */

import fc from "fast-check";
import { outcome, testLog, type TestLog } from "./log.ts";

type Input = Readonly<Record<string, unknown>> & { readonly type: string };

export interface Step {
  /** A command as foreign input. */
  readonly command: Input;
  readonly passMs: number;
  /** How far the wall clock jumps, before the command. */
  readonly jumpMs: number;
  /** True when a new writer opens the log first, without the last one having closed it. */
  readonly opens: boolean;
}

const FIRST_ID = "a".charCodeAt(0);
const taskId = fc.constantFrom("a", "b", "c", "d", "e");
const message = fc.option(fc.constantFrom("one", "two"), { nil: undefined, freq: 2 });
const details = fc.option(fc.constantFrom({ n: 1 }, { n: 2 }), { nil: undefined, freq: 3 });
const percentage = fc.oneof(fc.constantFrom(0, 100, 50), fc.double({ min: 0, max: 100, noNaN: true }));

const position = fc.oneof(
  fc.record({ percentage }),
  fc.record({ completedSteps: fc.nat({ max: 5 }), totalSteps: fc.constantFrom(undefined, 3, 5) }),
  fc.record({ totalSteps: fc.constantFrom(4, 8), unit: fc.constant("nodes") }),
  fc.record({ totalSteps: fc.constantFrom(2, 8), percentage }),
  fc.constant({}),
);
const report = fc.tuple(position, fc.record({ taskId, message, details }));

/** A task below nobody, or below one whose id comes earlier in the alphabet. */
const addTask: fc.Arbitrary<Input> = fc
  .record({
    taskId,
    parent: fc.option(fc.nat(), { nil: null, freq: 1 }),
    weight: fc.constantFrom(1, 1, 2, 0),
    totalSteps: fc.constantFrom(null, null, 4),
  })
  .map(({ parent, ...fields }) => {
    const earlier = fields.taskId.charCodeAt(0) - FIRST_ID;
    const parentTaskId = parent === null || earlier === 0 ? null : String.fromCharCode(FIRST_ID + (parent % earlier));
    return { type: "addTask", taskName: "Task", parentTaskId, ...fields };
  });

const one = (type: string, fields: Record<string, fc.Arbitrary<unknown>> = {}): fc.Arbitrary<Input> =>
  fc.record({ type: fc.constant(type), ...fields });
const moves = (...types: readonly string[]): fc.Arbitrary<Input> =>
  fc.record({ type: fc.constantFrom(...types), taskId, message, details });
const weighed = (weight: number, arbitrary: fc.Arbitrary<Input>) => ({ weight, arbitrary });

const command = fc.oneof(
  weighed(3, addTask),
  weighed(4, moves("startTask")),
  weighed(
    10,
    report.map(([where, said]) => ({ type: "updateTaskProgress", ...said, ...where })),
  ),
  weighed(5, moves("pauseTask", "resumeTask", "retryTask")),
  weighed(1, moves("completeTask", "completeTask", "skipTask", "cancelTask")),
  weighed(1, one("failTask", { taskId, errorMessage: fc.constant("broke"), details })),
  weighed(1, one("heartbeat", { taskId })),
  weighed(1, one("clearWaitingOn", { taskId })),
  weighed(1, one("appendLog", { taskId, text: fc.constantFrom("x", "yy") })),
  weighed(
    1,
    one("setWaitingOn", {
      taskId,
      waitingOn: fc.record({ kind: fc.constant("pod"), name: fc.constantFrom("p", "q") }),
    }),
  ),
  weighed(
    1,
    fc.record({ type: fc.constantFrom("startUpgrade", "setCurrentPhase"), phase: fc.constantFrom("One", "Two") }),
  ),
  weighed(1, fc.record({ type: fc.constantFrom("pauseUpgrade", "resumeUpgrade"), message })),
  weighed(
    1,
    one("raiseInsight", {
      insight: fc.record({
        id: fc.constantFrom("i", "j"),
        level: fc.constant("info"),
        message: fc.constantFrom("x", "y"),
      }),
    }),
  ),
  weighed(1, one("clearInsight", { insightId: fc.constantFrom("i", "j") })),
);
const ending = fc.constantFrom<Input>(
  { type: "completeUpgrade" },
  { type: "failUpgrade", errorMessage: "broke" },
  { type: "cancelUpgrade" },
);

const timed = (input: fc.Arbitrary<Input>): fc.Arbitrary<Step> =>
  fc.record({
    command: input,
    passMs: fc.constantFrom(0, 1, 500, 12_000),
    jumpMs: fc.constantFrom(0, 0, 0, 0, 0, 3_600_000, -3_600_000),
    opens: fc.constantFrom(false, false, false, false, false, false, true),
  });

/** Up to `maxLength` steps, of which the first ones add tasks. */
export function stepsOf(maxLength: number): fc.Arbitrary<readonly Step[]> {
  const first = fc.array(timed(addTask), { maxLength: 8, size: "max" });
  const any = timed(fc.oneof(weighed(300, command), weighed(1, ending)));
  const rest = fc.array(any, { maxLength: maxLength - 8, size: "max" });
  return fc.tuple(first, rest).map(([before, after]) => [...before, ...after]);
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
  for (const step of all) take(log, step);
  return log;
}
