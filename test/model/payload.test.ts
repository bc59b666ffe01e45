import { types } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMilepostError } from "../../src/errors.ts";
import { canonicalJson, copyDetails, PAYLOAD_LIMITS } from "../../src/model/json.ts";
import { fold, outcome, testLog } from "./log.ts";

const nested = (depth: number): object => {
  let value: object = {};
  for (let n = 1; n < depth; n++) value = { a: value };
  return value;
};
const cyclic: { self?: unknown } = {};
cyclic.self = { deep: [cyclic] };

/** What touches foreign code counts here: nothing of a payload may be run. */
let touched = 0;
const touch = () => {
  touched += 1;
  throw new Error("foreign code was run");
};
class Node {
  static get name2() {
    return touch();
  }
}
const spyPrototype = Object.create(null, { constructor: { get: touch } }) as object;
const spyConstructor = Object.create(null, {
  constructor: { value: Object.defineProperty(() => 0, "name", { get: touch }) },
}) as object;
const traps = Object.fromEntries(
  ["get", "has", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor"].map((name) => [name, touch]),
);
const spyProxy = new Proxy({}, traps);

const REFUSED: readonly (readonly [name: string, value: unknown])[] = [
  ["text", "text"],
  ["a number", 5],
  ["a boolean", true],
  ["an array", [1]],
  ["a function", () => 1],
  ["10,000 levels", nested(10_000)],
  ["33 levels", nested(33)],
  ["10,000 levels of arrays", { a: JSON.parse("[".repeat(10_000) + "]".repeat(10_000)) as unknown }],
  ["a cycle", cyclic],
  ["a BigInt", { a: 10n }],
  ["a Date", { a: new Date(0) }],
  ["a Date as details", new Date(0)],
  ["a Buffer", { a: Buffer.from("x") }],
  ["a typed array", { a: new Uint8Array(2) }],
  ["a Map", { a: new Map() }],
  ["a class instance", { a: new Node() }],
  ["an Error", { a: new Error("x") }],
  ["a Promise", { a: Promise.resolve(1) }],
  ["a boxed number", { a: Object(1) as unknown }],
  ["undefined", { a: undefined }],
  ["a symbol", { a: Symbol("a") }],
  ["a function inside", { a: { b: () => 1 } }],
  ["toJSON that throws", { toJSON: touch }],
  [
    "toJSON that throws on a class",
    new (class {
      toJSON = touch;
    })(),
  ],
  ["NaN", { a: Number.NaN }],
  ["Infinity", { a: [Infinity] }],
  ["a getter", Object.defineProperty({}, "a", { get: touch, enumerable: true })],
  ["a getter in an array", { a: Object.defineProperty([1], "0", { get: touch }) }],
  ["a Proxy", { a: spyProxy }],
  ["a Proxy as details", spyProxy],
  ["a Proxy of an array", { a: new Proxy([], traps) }],
  ["an object whose prototype is a Proxy", { a: Object.create(spyProxy) as object }],
  ["an object whose constructor is an accessor", { a: Object.create(spyPrototype) as object }],
  ["an object whose class has an accessor for a name", { a: Object.create(spyConstructor) as object }],
  [
    "a revoked Proxy",
    (() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    })(),
  ],
  ["half of a character pair in a key", { "a\ud800": 1 }],
  ["1,001 values", { a: Array.from({ length: 1_000 }, () => 0) }],
  ["a sparse array of 4 billion", { a: new Array(4_294_967_295) }],
  ["1 MB of text", { a: "x".repeat(1_048_576) }],
  ["a key of 1 MB", { ["k".repeat(1_048_576)]: 1 }],
  ["100,000 bytes in 50,000 characters", { a: "é".repeat(50_000) }],
  ["30,000 control characters, six bytes each in JSON", { a: "\u0001".repeat(30_000) }],
];

describe("details (M12)", () => {
  const log = testLog();
  log.give({ type: "addTask", taskId: "t", taskName: "Task" });
  log.give({ type: "startTask", taskId: "t" });

  it.each(REFUSED)("[V5] that are or hold %s are refused, unlooked at and without a trace", (name, value) => {
    touched = 0;
    try {
      copyDetails(value, types.isProxy);
      expect.unreachable("they were accepted");
    } catch (error) {
      expect(isMilepostError(error, "INVALID_PAYLOAD") ? "INVALID_PAYLOAD" : error).toBe("INVALID_PAYLOAD");
    }
    expect(touched).toBe(0);
    if (!name.includes("Proxy"))
      expect(outcome(log, { type: "updateTaskProgress", taskId: "t", percentage: 5, details: value })).toBe(
        "INVALID_PAYLOAD",
      );
  });

  it("[V5] at the limits are kept", () => {
    const full = { a: Array.from({ length: PAYLOAD_LIMITS.maxKeys - 1 }, () => 0) };
    for (const value of [nested(32), full, { a: "x".repeat(65_000) }, Object.create(null) as object, { "": "" }]) {
      expect(canonicalJson(copyDetails(value))).toBe(canonicalJson(value));
    }
    expect(copyDetails({ a: [undefined as unknown, 1].slice(1), b: -0, c: "\ud800" })).toEqual({
      a: [1],
      b: 0,
      c: "\ufffd",
    });
  });

  it("[V5] are never larger as JSON than the limit, and come back from JSON as they went in", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.constant("日".repeat(9_000)),
      fc.constant("\u0002".repeat(4_000)),
      fc.constant("🚀".repeat(7_000)),
    );
    const json = fc.jsonValue({ depthSize: "medium", stringUnit: "binary" });
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 8 }), fc.oneof(text, json), { maxKeys: 6 }), (value) => {
        let copy: unknown;
        try {
          copy = copyDetails(value);
        } catch (error) {
          expect(isMilepostError(error, "INVALID_PAYLOAD")).toBe(true);
          return;
        }
        const stored = JSON.stringify(copy);
        expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(PAYLOAD_LIMITS.maxBytes);
        expect(canonicalJson(JSON.parse(stored))).toBe(canonicalJson(copy));
      }),
      { numRuns: 500 },
    );
  });

  it("[V5] are measured to the byte", () => {
    const size = (text: string) => Buffer.byteLength(JSON.stringify({ a: [text, -0.5], b: null, c: true }));
    for (const unit of ["x", '"', "\n", "\u0001", "é", "日", "🚀"]) {
      const room = PAYLOAD_LIMITS.maxBytes - size("") - 1;
      const text = unit.repeat(Math.floor(room / (size(unit) - size(""))));
      const filled = text + "x".repeat(PAYLOAD_LIMITS.maxBytes - 1 - size(text));
      expect(() => copyDetails({ a: [filled, -0.5], b: null, c: true })).not.toThrow();
      expect(() => copyDetails({ a: [`${filled}xx`, -0.5], b: null, c: true })).toThrow(/larger than 65536 bytes/);
    }
  });

  it("[V5] are told what is wrong with them", () => {
    expect(() => copyDetails(cyclic)).toThrow(/hold a cycle; remove the reference/);
    expect(() => copyDetails({ at: new Date(0) })).toThrow(/hold a Date; convert it/);
    expect(() => copyDetails({ n: 10n })).toThrow(/hold the BigInt 10; use numbers/);
    expect(() => copyDetails("text")).toThrow(/must be an object, not "text"/);
  });

  it("[V5] are copied and frozen, so that a later change reaches nothing", () => {
    const details = { nodes: ["a"], deep: { n: 1 } };
    const copy = copyDetails(details);
    details.nodes.push("b");
    details.deep.n = 2;
    expect(copy).toEqual({ nodes: ["a"], deep: { n: 1 } });
    expect([copy, copy["nodes"], copy["deep"]].every(Object.isFrozen)).toBe(true);
  });

  it("[V5] that is shared, but no cycle, is kept in both places", () => {
    const shared = { n: 1 };
    expect(copyDetails({ a: shared, b: [shared, shared] })).toEqual({ a: { n: 1 }, b: [{ n: 1 }, { n: 1 }] });
  });

  it("[V5] may have any names, also those of the call's own parameters", () => {
    const details = {
      status: "completed",
      message: "m",
      percentage: 5,
      task_id: "x",
      taskId: "y",
      type: "z",
      seq: 0,
      details: {},
    };
    const own = testLog();
    own.give({ type: "addTask", taskId: "t", taskName: "Task", details });
    own.give({ type: "updateTaskProgress", taskId: "t", percentage: 50, details });
    expect(own.state.tasks.get("t")).toMatchObject({
      status: "in_progress",
      percentage: 50,
      details,
      reportDetails: details,
    });
  });
});

describe("hostile names (X17)", () => {
  const values: readonly unknown[] = [
    { polluted: true },
    "polluted",
    1,
    null,
    [],
    { polluted: { polluted: 1 } },
    { toString: "x" },
    { constructor: { prototype: { polluted: true } } },
  ];
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
  const payloads = names.flatMap((name) =>
    values.map(
      (value) =>
        JSON.parse(
          `{${JSON.stringify(name)}:${JSON.stringify(value)},"in":{${JSON.stringify(name)}:${JSON.stringify(value)}}}`,
        ) as object,
    ),
  );

  it("[X1] in details, ids and commands change no prototype and are kept as data", () => {
    expect(payloads.length).toBeGreaterThanOrEqual(40);
    const before = Object.getOwnPropertyNames(Object.prototype);
    for (const details of payloads) {
      const log = testLog();
      log.give({ type: "addTask", taskId: "t", taskName: "Task", details });
      for (const taskId of names) {
        log.give({ type: "addTask", taskId, taskName: "Task", parentTaskId: "t" });
        log.give({ type: "updateTaskProgress", taskId, percentage: 10, details });
        log.give({ type: "raiseInsight", insight: { id: taskId, level: "info", message: "seen" } });
        outcome(log, details);
        outcome(log, { type: "raiseInsight", insight: details });
        outcome(log, { type: "setWaitingOn", taskId, waitingOn: details });
      }
      expect(JSON.stringify(log.state.tasks.get("t")?.details)).toBe(JSON.stringify(details));
      expect(Object.getPrototypeOf(log.state.tasks.get("t")?.details)).toBe(Object.prototype);
      const again = fold(log.events);
      expect(canonicalJson(again)).toBe(canonicalJson(log.state));
      for (const taskId of names) expect(again.tasks.get(taskId)?.percentage).toBe(10);
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("[X1] are not found where nothing was put", () => {
    const { state } = testLog();
    for (const name of [...names, "size", "valueOf"]) {
      expect(state.tasks.get(name)).toBeUndefined();
      expect(state.tasks.has(name)).toBe(false);
      expect(outcome(testLog(), { type: "startTask", taskId: name })).toBe("UNKNOWN_TASK");
      expect(outcome(testLog(), { type: name })).toBe("UNKNOWN_COMMAND");
    }
  });

  it("[X1] are told apart in canonical JSON", () => {
    const proto = JSON.parse('{"__proto__":1}') as object;
    expect(canonicalJson(proto)).toBe('{"__proto__":1}');
    expect(canonicalJson({ b: 1, a: { d: 1, c: 2 } })).toBe(canonicalJson({ a: { c: 2, d: 1 }, b: 1 }));
    expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: "1" }));
  });
});
