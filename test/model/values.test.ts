import { describe, expect, it } from "vitest";
import { checkId, checkTaskType } from "../../src/model/check.ts";
import { checkCommand, COMMAND_TYPES } from "../../src/model/command.ts";
import { formatCursor, parseCursor } from "../../src/model/cursor.ts";
import { ProgressStatus, TaskType } from "../../src/model/vocabulary.ts";
import { ERRORS, isMilepostError, MilepostError, shown } from "../../src/errors.ts";
import { HOSTILE_IDS, INVALID_IDS, UNSEEN_IDS } from "../hostile-ids.ts";
import { outcome, testLog } from "./log.ts";

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return "none";
  } catch (error) {
    return isMilepostError(error) ? error.code : String(error);
  }
};
const started = () => {
  const log = testLog();
  log.give({ type: "addTask", taskId: "t", taskName: "Task" });
  log.give({ type: "startTask", taskId: "t" });
  return log;
};

describe("ids (M06)", () => {
  it("[V1] are kept exactly as given, and differ when any code point differs", () => {
    expect(HOSTILE_IDS.length).toBeGreaterThan(40);
    const log = testLog();
    for (const id of HOSTILE_IDS) {
      expect(checkId(id, "taskId")).toBe(id);
      expect(outcome(log, { type: "addTask", taskId: id, taskName: "Task" })).toBe("task.added");
    }
    expect(log.state.tasks.size).toBe(new Set(HOSTILE_IDS).size);
    expect([...log.state.tasks.keys()]).toEqual(HOSTILE_IDS);
  });

  it("[V1] that cannot be kept are refused, for tasks, parents and insights", () => {
    for (const id of INVALID_IDS) {
      expect(codeOf(() => checkId(id, "taskId"))).toBe("INVALID_ID");
      expect(outcome(started(), { type: "addTask", taskId: id, taskName: "Task" })).toBe("INVALID_ID");
      expect(outcome(started(), { type: "startTask", taskId: id })).toBe("INVALID_ID");
      expect(outcome(started(), { type: "raiseInsight", insight: { id, level: "info", message: "seen" } })).toBe(
        "INVALID_ID",
      );
      if (id !== undefined && id !== null)
        expect(outcome(started(), { type: "addTask", taskId: "x", taskName: "X", parentTaskId: id })).toBe(
          "INVALID_ID",
        );
    }
  });

  it("[V1] that show nothing are refused for what begins, and taken for what is there", () => {
    for (const id of UNSEEN_IDS) {
      expect(outcome(started(), { type: "addTask", taskId: id, taskName: "Task" })).toBe("INVALID_ID");
      const insight = { id, level: "info", message: "seen" };
      expect(outcome(started(), { type: "raiseInsight", insight })).toBe("INVALID_ID");
      expect(outcome(started(), { type: "startTask", taskId: id })).toBe("UNKNOWN_TASK");
    }
  });
});

describe("percentages (M03)", () => {
  const refused = [
    Number.NaN,
    Infinity,
    -Infinity,
    -1,
    -0.0001,
    -1e-320,
    100.0001,
    101,
    1e400,
    1e308,
    "50",
    "",
    null,
    true,
    10n,
    [],
    [50],
    {},
    new Number(50),
    () => 50,
  ];

  it.each(refused.map((value) => [typeof value === "function" ? "a function" : String(shown(value)), value]))(
    "[V2] %s is refused and leaves no trace",
    (_name, value) => {
      const log = started();
      expect(outcome(log, { type: "updateTaskProgress", taskId: "t", percentage: value })).toBe("INVALID_PERCENT");
      expect(log.state.tasks.get("t")).toMatchObject({ percentage: 0, isMeasured: false });
    },
  );

  it.each([0, 1e-320, 0.1, 33.333, 50, 99.9999999, 100])("[V2] %d is kept as it is", (percentage) => {
    const log = started();
    log.give({ type: "updateTaskProgress", taskId: "t", percentage });
    expect(log.state.tasks.get("t")?.percentage).toBe(percentage);
    expect(Number.isFinite(log.state.overallPercentage)).toBe(true);
  });

  it("[V2] minus nought is nought", () => {
    const log = started();
    log.give({ type: "updateTaskProgress", taskId: "t", percentage: -0 });
    expect(Object.is(log.state.tasks.get("t")?.percentage, 0)).toBe(true);
  });
});

describe("counts, weights and words", () => {
  const add = (fields: object) => outcome(testLog(), { type: "addTask", taskId: "t", taskName: "Task", ...fields });

  it.each([
    { totalSteps: 0 },
    { totalSteps: 1.5 },
    { totalSteps: -1 },
    { totalSteps: "3" },
    { totalSteps: 2 ** 53 },
    { totalSteps: Number.NaN },
  ])("[V3] %o is refused", (fields) => {
    expect(add(fields)).toBe("INVALID_ARGUMENT");
  });

  it.each([
    { weight: -1 },
    { weight: 1001 },
    { weight: Infinity },
    { weight: Number.NaN },
    { weight: "1" },
    { weight: null },
    { expectedMs: -5 },
    { expectedMs: Infinity },
  ])("[V3] %o is refused too", (fields) => {
    expect(add(fields)).toBe("INVALID_ARGUMENT");
  });

  it("[V3] any lower-case word is a task type", () => {
    for (const type of [...Object.values(TaskType), "drain", "node_group", "x", "a-b.c9"])
      expect(checkTaskType(type)).toBe(type);
    for (const type of ["", "UPGRADE_STEP", "Drain", "9a", "a b", "é", "a".repeat(65), null, 5, ["drain"]])
      expect(add({ taskType: type })).toBe("INVALID_ARGUMENT");
    expect(add({ taskType: undefined })).toBe("task.added");
  });

  it("[V3] statuses are lower case everywhere", () => {
    for (const status of Object.values(ProgressStatus)) expect(status).toMatch(/^[a-z_]+$/);
  });

  it("[V3] commands name levels, resources and waiting in the shape that is documented", () => {
    const insight = (fields: object) =>
      outcome(testLog(), { type: "raiseInsight", insight: { id: "i", level: "info", message: "seen", ...fields } });
    expect(insight({ level: "fatal" })).toBe("INVALID_ARGUMENT");
    expect(insight({ resources: "node-1" })).toBe("INVALID_ARGUMENT");
    expect(insight({ resources: Array.from({ length: 101 }, (_, n) => `node-${n}`) })).toBe("INVALID_ARGUMENT");
    expect(insight({ resources: [""] })).toBe("INVALID_TEXT");
    expect(insight({ resources: ["node-1"] })).toBe("insight.raised");
    expect(outcome(started(), { type: "setWaitingOn", taskId: "t", waitingOn: "a pod" })).toBe("INVALID_ARGUMENT");
    expect(outcome(started(), { type: "setWaitingOn", taskId: "t", waitingOn: { kind: "pod" } })).toBe("INVALID_TEXT");
  });
});

describe("texts", () => {
  const update = (message: unknown) =>
    outcome(started(), { type: "updateTaskProgress", taskId: "t", percentage: 1, message });

  it("[V4] of the greatest length are kept, longer ones are refused (M12)", () => {
    expect(update("m".repeat(16_384))).toBe("task.progressed");
    expect(update("m".repeat(16_385))).toBe("INVALID_TEXT");
    expect(update("m".repeat(1_048_576))).toBe("INVALID_TEXT");
    expect(outcome(started(), { type: "appendLog", taskId: "t", text: "l".repeat(65_536) })).toBe("log.appended");
    expect(outcome(started(), { type: "appendLog", taskId: "t", text: "l".repeat(65_537) })).toBe("INVALID_TEXT");
    expect(outcome(testLog(), { type: "addTask", taskId: "t", taskName: "n".repeat(1_025) })).toBe("INVALID_TEXT");
    expect(outcome(started(), { type: "failTask", taskId: "t", errorMessage: "e".repeat(16_385) })).toBe(
      "INVALID_TEXT",
    );
  });

  it.each([null, 5, {}, [], true, Symbol("m")])("[V4] %s is no text", (message) => {
    expect(update(message)).toBe("INVALID_TEXT");
  });

  it("[V4] a name holds something that can be seen", () => {
    for (const name of ["", " ", "\n\t", ...UNSEEN_IDS, undefined, null])
      expect(outcome(testLog(), { type: "addTask", taskId: "t", taskName: name })).toBe("INVALID_TEXT");
    for (const phase of ["", " ", null])
      expect(outcome(testLog(), { type: "setCurrentPhase", phase })).toBe("INVALID_TEXT");
  });

  it("[V4] halves of character pairs become U+FFFD, control characters and line ends are kept", () => {
    const log = started();
    log.give({ type: "updateTaskProgress", taskId: "t", percentage: 1, message: "a\ud800b\n\u001b[2J\u0000" });
    expect(log.state.tasks.get("t")?.message).toBe("a\ufffdb\n\u001b[2J\u0000");
    log.give({ type: "appendLog", taskId: "t", text: "\udc00" });
    expect(log.events.at(-1)).toMatchObject({ text: "\ufffd" });
  });
});

describe("errors and commands", () => {
  const bad: readonly unknown[] = [
    undefined,
    null,
    5,
    "startUpgrade",
    [],
    [{ type: "startUpgrade" }],
    {},
    { type: "explode" },
    { type: "__proto__" },
    { type: "constructor" },
    { type: "toString" },
    { type: "recordHealth", health: "lost", reasons: [] },
    { type: 5 },
    { type: "\u001b[2J" },
    { type: "x".repeat(10_000) },
    { type: "startTask", taskId: "a\u202eb\u0000" },
    { type: "updateTaskProgress", taskId: "t", percentage: "\u001b]0;x\u0007" },
    { type: "addTask", taskId: "t", taskName: "T", taskType: "\u009b1m" },
    revoked(),
    { type: revoked() },
  ];

  it.each(bad.map((input, n) => [n, input]))(
    "[V6] bad command %i is refused with a code, and a message that can be shown",
    (_n, input) => {
      const log = testLog();
      try {
        log.give(input);
        expect.unreachable("it was accepted");
      } catch (error) {
        expect(error).toBeInstanceOf(MilepostError);
        const { code, message } = error as MilepostError;
        expect(Object.keys(ERRORS)).toContain(code);
        // eslint-disable-next-line no-control-regex -- that there are none is what is tested
        expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
        expect(message.length).toBeLessThan(1_000);
      }
      expect(log.events).toHaveLength(1);
    },
  );

  it("[V6] an unknown command is told which ones there are", () => {
    expect(codeOf(() => checkCommand({ type: "completeTasks" }))).toBe("UNKNOWN_COMMAND");
    expect(() => checkCommand({ type: "completeTasks" })).toThrow(new RegExp(COMMAND_TYPES.join(", ")));
    expect(COMMAND_TYPES).not.toContain("recordHealth");
  });

  it.each<[object, RegExp]>([
    [
      { type: "updateTaskProgress", taskId: "t", percent: 5 },
      /^updateTaskProgress has no field "percent".*percentage\?$/,
    ],
    [{ type: "updateTaskProgress", taskId: "t", PERCENTAGE: 5 }, /"PERCENTAGE"; did you mean percentage\?$/],
    [{ type: "startTask", task_id: "t", taskId: "t" }, /"task_id"; did you mean taskId\?$/],
    [{ type: "startTask", taskId: "t", mesage: "a" }, /"mesage"; did you mean message\?$/],
    [{ type: "startTask", taskId: "t", percentage: 5 }, /"percentage"; it has type, taskId, message, details$/],
    [{ type: "addTask", taskId: "u", taskName: "U", parent: "t" }, /"parent"; did you mean parentTaskId\?$/],
    [{ type: "failTask", taskId: "t", error: "boom" }, /"error"; did you mean errorMessage\?$/],
    [{ type: "startTask", taskId: "t", request: "ab" }, /has no field "request"/],
    [
      { type: "setWaitingOn", taskId: "t", waitingOn: { kind: "k", name: "n", since: 1 } },
      /^waitingOn has no field "since"/,
    ],
    [
      { type: "raiseInsight", insight: { id: "i", level: "info", message: "m", resource: [] } },
      /did you mean resources\?$/,
    ],
    [JSON.parse('{"type":"startTask","taskId":"t","__proto__":{"a":1}}'), /"__proto__"/],
    [{ type: "startTask", taskId: "t", ["x".repeat(10_000)]: 1 }, /^startTask has no field "x+\.\.\."?; it has/],
  ])("[V7] %j has a field that nothing reads: it is refused, and nothing is written", (input, words) => {
    const log = started();
    const before = log.events.length;
    expect(codeOf(() => checkCommand(input))).toBe("INVALID_ARGUMENT");
    expect(() => log.give(input)).toThrow(words);
    expect(log.events).toHaveLength(before);
  });

  it("[V7] a field that is undefined, or not the object's own, counts as left out", () => {
    const input = Object.assign(Object.create({ inherited: 1 }) as object, {
      type: "startTask",
      taskId: "t",
      percent: undefined,
    });
    expect(checkCommand(input)).toEqual({ type: "startTask", taskId: "t" });
  });

  it("[V6] a refusal names the value and the remedy", () => {
    const log = started();
    expect(() => log.give({ type: "updateTaskProgress", taskId: "t", percentage: 150 })).toThrow(
      "percentage must be a number from 0 to 100, not 150",
    );
    expect(() => log.give({ type: "retryTask", taskId: "zzz" })).toThrow(/"zzz"; add it first/);
    log.give({ type: "completeTask", taskId: "t" });
    expect(() => log.give({ type: "failTask", taskId: "t", errorMessage: "late" })).toThrow(
      /"t" is completed; it can never change again/,
    );
  });

  it("[V6] a value is shown in one readable line, whatever it is", () => {
    const values = [
      "\u001b[2J\u0000\u009b\u202e",
      Symbol("\u001b[2J"),
      "x".repeat(1_000),
      "🚀".repeat(80),
      revoked(),
      [1],
      { a: 1 },
      () => 1,
      10n,
      -0,
      Number.NaN,
      undefined,
      null,
      true,
    ];
    for (const value of values) {
      const text = shown(value);
      // eslint-disable-next-line no-control-regex -- that there are none is what is tested
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(text.isWellFormed()).toBe(true);
      expect(text.length).toBeLessThanOrEqual(120);
    }
    expect([shown("a b"), shown(revoked()), shown(Symbol("s")), shown(5n)]).toEqual([
      '"a b"',
      "an object",
      '"Symbol(s)"',
      "5",
    ]);
  });

  it("[L10] a cursor says its parts, and other text is no cursor", () => {
    const parts = { logId: "abc1", term: "0", seq: 17 };
    expect(parseCursor(formatCursor(parts))).toEqual(parts);
    for (const text of ["", "a.b", "a.b.c", "a.b.-1", "a.b.1.2", "a.b.9007199254740993", "A.b.1", "a.b.1\n", null, 5]) {
      expect(codeOf(() => parseCursor(text as string))).toBe("INVALID_ARGUMENT");
    }
  });
});

/** An object that throws at every touch, even at the question whether it is an array. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
