/** The schemas that the documents show and the check that the library makes take the same commands. */

import fc from "fast-check";
import { expect, test } from "vitest";

import { isMilepostError } from "../../../src/errors.ts";
import { checkCommand, COMMAND_TYPES } from "../../../src/model/command.ts";
import { command, commands, newUpgrade } from "../../../src/server/api/schemas/commands.ts";
import { HOSTILE_IDS, UNSEEN_IDS } from "../../hostile-ids.ts";

const isTaken = (value: unknown): boolean => {
  try {
    checkCommand(value);
    return true;
  } catch (error) {
    if (!isMilepostError(error)) throw error;
    return false;
  }
};

const id = fc.oneof(
  fc.constantFrom("t1", "a/b", "x".repeat(255), "é".repeat(127), ...HOSTILE_IDS, ...UNSEEN_IDS),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
);
const text = fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom("", " ", "x".repeat(16_384), "\u0000"));
const name = fc.oneof(fc.string({ minLength: 1, maxLength: 30 }), fc.constantFrom("Drain", "x".repeat(1024), " . "));
const number = fc.oneof(fc.constantFrom(0, -0, 1, 50, 99.9999999, 100, 1000, 1e-320), fc.double(), fc.integer());
const details = fc.oneof(
  fc.dictionary(fc.string({ maxLength: 10 }), fc.jsonValue()),
  fc.constant(JSON.parse('{"__proto__":{"a":1},"constructor":2}')),
  fc.integer({ min: 30, max: 34 }).map((depth) => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)),
  fc.integer({ min: 998, max: 1002 }).map((size) => ({ list: Array.from({ length: size - 1 }, () => 1) })),
);
const maybe = (field: fc.Arbitrary<unknown>) =>
  fc.option(fc.option(field, { nil: null, freq: 20 }), { nil: undefined });

/** Every field that any command has, with values of its kind. */
const FIELDS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  taskId: id,
  taskName: name,
  taskType: fc.constantFrom("upgrade_step", "custom.word", "Bad", "", "x".repeat(65)),
  parentTaskId: id,
  phase: name,
  message: text,
  errorMessage: text,
  text,
  weight: number,
  percentage: number,
  completedSteps: number,
  totalSteps: number,
  expectedMs: number,
  unit: name,
  details,
  insightId: id,
  insight: fc.record(
    {
      id,
      level: fc.constantFrom("info", "warning", "error", "fatal"),
      message: name,
      impact: maybe(text),
      remedy: maybe(text),
      reference: maybe(text),
      resources: fc.array(name, { maxLength: 4 }),
    },
    { requiredKeys: ["id", "level", "message"] },
  ),
  waitingOn: fc.record({ kind: name, name, message: text, remedy: text }, { requiredKeys: ["kind", "name"] }),
};

/** What each command needs, so that most of those that are made are valid before they are bent. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  setCurrentPhase: ["phase"],
  failUpgrade: ["errorMessage"],
  addTask: ["taskId", "taskName"],
  failTask: ["taskId", "errorMessage"],
  setWaitingOn: ["taskId", "waitingOn"],
  raiseInsight: ["insight"],
  clearInsight: ["insightId"],
  appendLog: ["taskId", "text"],
};
const neededBy = (type: string): readonly string[] => NEEDED[type] ?? (/Upgrade$/.test(type) ? [] : ["taskId"]);

const straight = fc.constantFrom(...COMMAND_TYPES).chain((type) => {
  const needed = neededBy(type);
  const optional = Object.keys(FIELDS).filter((field) => !needed.includes(field));
  return fc
    .tuple(
      fc.record(pick(needed)),
      fc.subarray(optional, { maxLength: 3 }).chain((names) => fc.record(pick(names))),
    )
    .map(([must, may]) => ({ type, ...may, ...must }));
});

const bent = fc
  .tuple(
    straight,
    fc.constantFrom("type", ...Object.keys(FIELDS)),
    fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.constant(Infinity)),
  )
  .map(([given, field, value]) => {
    const changed: Record<string, unknown> = { ...given, [field]: value };
    if (value === undefined) delete changed[field];
    return changed;
  });

function pick(names: readonly string[]): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(names.map((field) => [field, FIELDS[field] as fc.Arbitrary<unknown>]));
}

const runs = process.env["MILEPOST_LONG"] === undefined ? 4_000 : 400_000;

test("the schema takes a command if and only if the library takes it", { timeout: 600_000 }, () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(straight, bent, fc.jsonValue()), (value) => {
      const isValid = isTaken(value);
      if (isValid) taken += 1;
      expect([value, command.safeParse(value).success]).toEqual([value, isValid]);
    }),
    { numRuns: runs },
  );
  // Neither side is tried with rubbish alone.
  expect(taken).toBeGreaterThan(runs / 10);
  expect(taken).toBeLessThan((runs * 9) / 10);
});

test("[D4] they agree on every command with any field of any kind", () => {
  const valid: Readonly<Record<string, unknown>> = {
    taskId: "t",
    taskName: "T",
    phase: "p",
    errorMessage: "e",
    text: "x",
    insightId: "i",
    insight: { id: "i", level: "info", message: "m" },
    waitingOn: { kind: "k", name: "n" },
  };
  const values = [
    null,
    true,
    "",
    " ",
    "x",
    "50",
    0,
    -1,
    1.5,
    1e300,
    [],
    ["x"],
    {},
    { id: "i" },
    { kind: "k", name: "n" },
  ];
  for (const type of COMMAND_TYPES) {
    const needed = Object.fromEntries(neededBy(type).map((field) => [field, valid[field]]));
    expect([type, isTaken({ type, ...needed })]).toEqual([type, true]);
    for (const field of ["type", ...Object.keys(FIELDS)]) {
      for (const value of values) {
        const given = { type, ...needed, [field]: value };
        expect([given, command.safeParse(given).success]).toEqual([given, isTaken(given)]);
      }
      const { [field]: _left, ...rest } = { type, ...needed } as Record<string, unknown>;
      expect([rest, command.safeParse(rest).success]).toEqual([rest, isTaken(rest)]);
    }
    for (const field of ["insight", "waitingOn"]) {
      const whole = valid[field] as Record<string, unknown>;
      for (const inner of ["id", "level", "message", "impact", "remedy", "reference", "resources", "kind", "name"]) {
        for (const value of values) {
          const given = { type, ...needed, [field]: { ...whole, [inner]: value } };
          expect([given, command.safeParse(given).success]).toEqual([given, isTaken(given)]);
        }
      }
    }
  }
});

test("the schema knows every command, and every command is in it", () => {
  const types = command.options.flatMap(({ shape: { type } }) => ("options" in type ? type.options : [...type.values]));
  expect([...types].sort()).toEqual([...COMMAND_TYPES].sort());
});

test("one command or up to 1,000 of them are a body", () => {
  const one = { type: "heartbeat", taskId: "t" };
  for (const [value, isValid] of [
    [one, true],
    [[one], true],
    [[], false],
    [Array.from({ length: 1000 }, () => one), true],
    [Array.from({ length: 1001 }, () => one), false],
  ] as const)
    expect(commands.safeParse(value).success).toBe(isValid);
  expect(newUpgrade.safeParse({}).success).toBe(true);
});
