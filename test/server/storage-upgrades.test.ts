import { expect, onTestFinished, test } from "vitest";

import {
  storageUpgrades,
  type StorageUpgrades,
  type StorageUpgradesOptions,
} from "../../src/server/storage-upgrades.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { sendCommands } from "../../src/tracker/hand-over.ts";
import { readEvents, readUpgrade } from "../../src/tracker/read.ts";
import { tempFolder } from "../temp-folder.ts";
import { holder } from "./api/child-process.ts";

const START = { type: "startUpgrade" };
const ADD = { type: "addTask", taskId: "t1", taskName: "T" };
const log = (text: string) => ({ type: "appendLog", taskId: "t1", text });

function opened(storage: Storage, options: StorageUpgradesOptions = {}): StorageUpgrades {
  const upgrades = storageUpgrades(storage, { lingerMs: 60_000, ...options });
  onTestFinished(() => upgrades.close());
  return upgrades;
}

async function typesIn(storage: Storage, upgradeId = "u1"): Promise<readonly string[]> {
  const found = [];
  for await (const { type } of readEvents(storage, upgradeId)) found.push(type);
  return found;
}

test("many reports of one upgrade pay for one opening", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage);
  await upgrades.execute("u1", [START, ADD]);
  await Promise.all(Array.from({ length: 20 }, (_, at) => upgrades.execute("u1", [log(`${at}`)])));
  await upgrades.close();
  const types = await typesIn(storage);
  expect(types.filter((type) => type === "writer.opened")).toHaveLength(1);
  expect(types.filter((type) => type === "log.appended")).toHaveLength(20);
  expect(types.at(-1)).toBe("writer.closed");
});

test("an upgrade is free for others when nobody has reported for a while", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage, { lingerMs: 50 });
  await upgrades.execute("u1", [START]);
  await expect.poll(() => storage.holder("u1"), { timeout: 5_000 }).toBeUndefined();
  expect((await readUpgrade(storage, "u1")).state.openTerm).toBeNull();
});

test("no more than so many stay open unused", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage, { maxIdle: 3 });
  for (let at = 0; at < 8; at++) await upgrades.execute(`u${at}`, [START]);
  const held = async (): Promise<readonly number[]> => {
    const holders = await Promise.all(Array.from({ length: 8 }, async (_, at) => storage.holder(`u${at}`)));
    return holders.flatMap((holder, at) => (holder === undefined ? [] : [at]));
  };
  await expect.poll(held).toEqual([5, 6, 7]);
});

test("other processes hand their commands over while it is open here", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage);
  await upgrades.execute("u1", [START, ADD]);
  const [event] = await sendCommands(jsonLines({ path: storage.location }), "u1", [log("from elsewhere")]);
  expect(event).toMatchObject({ type: "log.appended", text: "from elsewhere" });
  await upgrades.close();
  expect((await typesIn(storage)).filter((type) => type === "writer.opened")).toHaveLength(1);
});

test("commands go through the process that holds an upgrade, and go on here when it is gone", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage, { lingerMs: 0 });
  await upgrades.execute("u1", [START, ADD], { clusterName: "prod" });
  const child = await holder(storage.location);
  const sent = [];
  for (let at = 0; at < 40; at++) {
    sent.push(upgrades.execute("u1", [log(`${at}`)]));
    if (at === 20) child.kill("SIGKILL");
    await sent[at];
  }
  const texts = [];
  for await (const event of readEvents(storage, "u1")) if (event.type === "log.appended") texts.push(event.text);
  expect([...new Set(texts)]).toEqual(Array.from({ length: 40 }, (_, at) => `${at}`));
});

test("an upgrade that another process takes over is given up, and its commands go through that process", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage);
  await upgrades.execute("u1", [START, ADD]);
  await sendCommands(jsonLines({ path: storage.location }), "u1", [log("taken")], { takeOver: true });
  const [event] = await upgrades.execute("u1", [log("and here again")]);
  expect(event).toMatchObject({ text: "and here again" });
  const texts = [];
  for await (const found of readEvents(storage, "u1")) if (found.type === "log.appended") texts.push(found.text);
  expect(texts).toEqual(["taken", "and here again"]);
});

test("what a refused command came after has happened, and the error says how much that is", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage);
  await upgrades.execute("u1", [START, ADD]);
  const refused = upgrades.execute("u1", [log("a"), log("b"), { type: "pauseTask", taskId: "t1" }, log("c")]);
  await expect(refused).rejects.toMatchObject({ code: "ILLEGAL_TRANSITION", context: { executed: 2 } });
  expect((await typesIn(storage)).filter((type) => type === "log.appended")).toHaveLength(2);
});

test("another plan or cluster is refused while it runs, and is the next run's when it has ended", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage);
  await upgrades.execute("u1", [START], { planId: "p1", clusterName: "c1" });
  await expect(upgrades.execute("u1", [START], { planId: "p2" })).rejects.toMatchObject({ code: "UPGRADE_MISMATCH" });
  await upgrades.execute("u1", [{ type: "completeUpgrade" }], { planId: "p1" });
  await upgrades.execute("u1", [START], { planId: "p2" });
  expect((await readUpgrade(storage, "u1")).state).toMatchObject({ run: 2, planId: "p2", clusterName: "c1" });
});

test("who watches a log hears at once of what is written here", async () => {
  // Blind to what is written, so that what is heard is heard from here.
  const storage: Storage = { ...jsonLines({ path: tempFolder() }), watch: () => () => undefined };
  const upgrades = opened(storage);
  await upgrades.execute("u1", [START, ADD]);
  let heard = 0;
  const changed: (string | undefined)[] = [];
  const stops = [upgrades.log("u1").watch(() => (heard += 1)), upgrades.watch((ref) => changed.push(ref))];
  await upgrades.execute("u1", [log("x")]);
  expect(heard).toBeGreaterThan(0);
  expect(changed).toContain("u1");
  for (const stop of stops) stop();
});

test("when it closes, what was accepted is stored and nothing more is taken", async () => {
  const storage = jsonLines({ path: tempFolder() });
  const upgrades = opened(storage);
  await upgrades.execute("u1", [START, ADD]);
  const accepted = Array.from({ length: 10 }, (_, at) => upgrades.execute("u1", [log(`${at}`)]));
  const closing = upgrades.close();
  const results = await Promise.allSettled(accepted);
  await closing;
  const stored = (await typesIn(storage)).filter((type) => type === "log.appended").length;
  expect([stored, results.filter(({ status }) => status === "fulfilled").length]).toEqual([10, 10]);
  await expect(upgrades.execute("u1", [log("late")])).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  expect(storage.holder("u1")).toBeUndefined();
  await upgrades.close();
});
