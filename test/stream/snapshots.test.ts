import { expect, test } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json.ts";
import type { Task } from "../../src/model/task.ts";
import { upgradeFromJson, type UpgradeJson, type UpgradeProgress } from "../../src/model/upgrade.ts";
import { sseEncoding, webSocketEncoding } from "../../src/stream/encoding.ts";
import { Snapshots, type Snapshot } from "../../src/stream/snapshots.ts";
import { testLog, type TestLog } from "../model/log.ts";
import { framedTexts } from "./recorded-log.ts";

const KIB = 1024;

function logWith(tasks: number, nameLength = 100): TestLog {
  const log = testLog();
  for (let n = 0; n < tasks; n++) log.give({ type: "addTask", taskId: `t${n}`, taskName: "é".repeat(nameLength / 2) });
  return log;
}

interface Part {
  readonly part?: number;
  readonly parts?: number;
  readonly cursor: string;
  readonly upgrade?: UpgradeJson;
  readonly tasks?: readonly Task[];
}

const partsOf = (snapshot: Snapshot): Part[] =>
  [...snapshot.messages(webSocketEncoding)].map((bytes) => JSON.parse(framedTexts(bytes)[0] as string) as Part);

/** As a client puts it together. */
function assembled(parts: readonly Part[]): UpgradeProgress {
  const { upgrade } = parts[0] as Part;
  if (upgrade === undefined) throw new Error("the first part has no upgrade");
  return upgradeFromJson({
    ...upgrade,
    tasks: [...upgrade.tasks, ...parts.slice(1).flatMap(({ tasks = [] }) => tasks)],
  });
}

test.each([0, 1, 5_000])("put together again it is the state, with %i tasks", async (tasks) => {
  const { state } = logWith(tasks);
  const snapshot = await new Snapshots("upgrade:up").get(state, 0);
  const parts = partsOf(snapshot);
  expect(canonicalJson(assembled(parts))).toBe(canonicalJson(state));
  for (const { cursor } of parts) expect(cursor).toBe(state.cursor);
  if (parts.length > 1) {
    expect(parts.map(({ part }) => part)).toEqual(parts.map((_part, index) => index + 1));
    expect(new Set(parts.map((part) => part.parts))).toEqual(new Set([parts.length]));
  } else expect(parts[0]?.part).toBeUndefined();
});

test("[W7] no part is larger than 256 KiB; only the first may be, by what stands in the state beside its tasks", async () => {
  const log = logWith(3_000, 1_000);
  for (let n = 0; n < 200; n++)
    log.give({ type: "raiseInsight", insight: { id: `i${n}`, level: "info", message: "x".repeat(1_000) } });
  for (let n = 0; n < 200; n++) log.give({ type: "setCurrentPhase", phase: `Phase ${n} ${"x".repeat(900)}` });
  const snapshot = await new Snapshots("upgrade:up").get(log.state, 0);
  const sizes = [...snapshot.messages(webSocketEncoding)].map(({ length }) => length);
  expect(sizes.length).toBeGreaterThan(12);
  expect(sizes.slice(1).filter((size) => size > 256 * KIB)).toEqual([]);
  expect(sizes[0]).toBeLessThan(256 * KIB + 450_000);
  const plain = [
    ...(await new Snapshots("upgrade:up").get(logWith(3_000, 1_000).state, 0)).messages(webSocketEncoding),
  ];
  expect(plain.filter(({ length }) => length > 256 * KIB)).toEqual([]);
});

test("one task that is larger than a part has one of its own", async () => {
  const log = logWith(2);
  const [task] = [...log.state.tasks.values()];
  const huge = { ...(task as Task), details: { text: "x".repeat(300 * KIB) } } as Task;
  const state = upgradeFromJson({ ...log.state, tasks: [...log.state.tasks.values(), huge] });
  const snapshot = await new Snapshots("upgrade:up").get(state, 0);
  expect(canonicalJson(assembled(partsOf(snapshot)))).toBe(canonicalJson(state));
});

test("[W7] those who join at the same state share one, and its bytes", async () => {
  const snapshots = new Snapshots("upgrade:up");
  const { state } = logWith(5_000);
  const [a, b] = await Promise.all([snapshots.get(state, 0), snapshots.get(state, 0)]);
  expect(a).toBe(b);
  expect(await snapshots.get(state, 0)).toBe(a);
  expect([...a.messages(webSocketEncoding)]).toEqual([...b.messages(webSocketEncoding)]);
  [...a.messages(webSocketEncoding)].forEach((bytes, index) =>
    expect([...b.messages(webSocketEncoding)][index]).toBe(bytes),
  );
  expect(framedTexts([...a.messages(webSocketEncoding)][0] as Buffer)[0]).toBe(
    [...a.messages(sseEncoding)][0]
      ?.toString()
      .split("\n")
      .find((line) => line.startsWith("data: "))
      ?.slice("data: ".length),
  );
});

test("a small one is made anew for each state; a large one serves until the events behind it outweigh it", async () => {
  const small = logWith(10);
  const snapshots = new Snapshots("upgrade:up");
  const first = await snapshots.get(small.state, 0);
  small.give({ type: "startTask", taskId: "t1" });
  expect((await snapshots.get(small.state, 10)).seq).toBe(first.seq + 1);

  const large = logWith(2_000);
  const others = new Snapshots("upgrade:up");
  const old = await others.get(large.state, 1_000);
  large.give({ type: "startTask", taskId: "t1" });
  expect(await others.get(large.state, 1_000 + old.sizeBytes)).toBe(old);
  expect((await others.get(large.state, 1_001 + old.sizeBytes)).seq).toBe(old.seq + 1);
});

test("one that is being made serves those who come meanwhile, and is of the state at which it was begun", async () => {
  const log = logWith(3_000);
  const { state, events } = log;
  const snapshots = new Snapshots("upgrade:up");
  const making = snapshots.get(state, 0);
  await new Promise(setImmediate);
  log.give({ type: "startTask", taskId: "t1" });
  const late = snapshots.get(log.state, 1);
  expect(await late).toBe(await making);
  expect((await making).seq).toBe((events.at(-2) as ProgressEvent).seq);
  expect(canonicalJson(assembled(partsOf(await making)))).toBe(canonicalJson(state));
});

test("[W7] a large one is made a slice in a turn of the event loop, and encoded as it is taken", async () => {
  const { state } = logWith(8_000);
  let tasks = 0;
  const counted = new Proxy(state.tasks, {
    get: (target, name) => {
      if (name !== "values") return Reflect.get(target, name) as unknown;
      return function* () {
        for (const task of target.values()) {
          tasks += 1;
          yield task;
        }
      };
    },
  });
  const perTurn: number[] = [];
  let isMade = false;
  const making = new Snapshots("upgrade:up").get({ ...state, tasks: counted }, 0).then((made) => {
    isMade = true;
    return made;
  });
  let last = 0;
  while (!isMade) {
    perTurn.push(tasks - last);
    last = tasks;
    await new Promise(setImmediate);
  }
  const snapshot = await making;
  const parts = [...snapshot.messages(webSocketEncoding)].length;
  expect(perTurn.length).toBeGreaterThanOrEqual(parts - 1);
  expect(Math.max(...perTurn)).toBeLessThan((2.5 * tasks) / parts);
});

test("[W7] of a thousand who join at once a few get a part in each turn of the event loop", async () => {
  const snapshot = await new Snapshots("upgrade:up").get(logWith(1).state, 0);
  let passed = 0;
  for (let n = 0; n < 1_000; n++) void snapshot.pass().then(() => (passed += 1));
  const perTurn: number[] = [];
  for (let before = 0; before < 1_000; before = passed) {
    await new Promise((resolve) => void setImmediate(resolve));
    perTurn.push(passed - before);
  }
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(32);
});
