import { appendFileSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { jsonLines } from "../../../src/storage/json-lines.ts";
import type { DeliveryStore } from "../../../src/storage/storage.ts";
import { codeOf } from "../../contracts/log-lines.ts";
import { withLog } from "../../contracts/stored-logs.ts";
import { FAULT_NAMES, FaultFs, type FaultyCall } from "../../faults/fault-fs.ts";
import { tempFolder } from "../../temp-folder.ts";

async function stored(): Promise<{ faults: FaultFs; store: DeliveryStore; again: DeliveryStore; folder: string }> {
  const path = tempFolder();
  const faults = new FaultFs();
  const storage = jsonLines({ path, fs: faults.fs });
  await withLog({ open: () => storage }, 2);
  const store = storage.deliveries("up");
  await store.save("slack", '{"n":1}');
  await store.addDeadLetters(['{"n":1}', '{"n":2}']);
  const again = jsonLines({ path }).deliveries("up");
  return { faults, store, again, folder: join(path, "upgrades", "up") };
}

const letters = async (store: DeliveryStore): Promise<readonly string[]> =>
  (await store.readDeadLetters(0, 1_000_000)).lines.map(({ text }) => text);
/** The calls by which a file is written. */
const CALLS: readonly FaultyCall[] = ["open", "write", "fdatasync", "rename"];

describe("what deliveries keep, on a disk that fails", () => {
  it.each(FAULT_NAMES)(
    "%s: a record that cannot be written leaves the one before it, and can be written later",
    async (error) => {
      const { faults, store, again, folder } = await stored();
      for (const call of CALLS) {
        const hits = faults.hits;
        faults.fail({ call, nth: 1, error, isForEver: true });
        const code = await codeOf(() => store.save("slack", '{"n":2}'));
        // A write that was interrupted is carried on.
        if (code !== "none") expect(code, call).toBe("STORAGE_DEGRADED");
        expect(faults.hits, call).toBeGreaterThan(hits);
        faults.heal();
        expect((await again.load("slack"))?.trim(), call).toBe('{"n":1}');
      }
      await store.save("slack", '{"n":3}');
      expect((await again.load("slack"))?.trim()).toBe('{"n":3}');
      expect(await again.list()).toEqual(["slack"]);
      expect(readFileSync(join(folder, "deliveries", "slack.json"), "utf8")).toBe('{"n":3}\n');
    },
  );

  it.each([0, 1, 5, 9])(
    "a disk that is full after %i bytes of a dead letter loses no other, before or after it",
    async (bytes) => {
      const { faults, store, again } = await stored();
      faults.shorten(bytes, "ENOSPC");
      expect(await codeOf(() => store.addDeadLetters(['{"n":3}', '{"n":4}']))).toBe("STORAGE_DEGRADED");
      expect((await letters(again)).slice(0, 2)).toEqual(['{"n":1}', '{"n":2}']);
      faults.heal();
      await store.addDeadLetters(['{"n":5}']);
      const all = await letters(again);
      expect(all.slice(0, 2)).toEqual(['{"n":1}', '{"n":2}']);
      expect(all.at(-1)).toBe('{"n":5}');
    },
  );

  it.each(CALLS.filter((call) => call !== "rename"))(
    "a dead letter of which the %s fails is said not to be kept",
    async (call) => {
      const { faults, store, again } = await stored();
      faults.fail({ call, nth: 1, error: "EIO", isForEver: true });
      expect(await codeOf(() => store.addDeadLetters(['{"n":3}']))).toBe("STORAGE_DEGRADED");
      faults.heal();
      expect((await letters(again)).slice(0, 2)).toEqual(['{"n":1}', '{"n":2}']);
    },
  );

  it("what was sent is no reason to fail", async () => {
    const { faults, store, again } = await stored();
    for (const call of ["open", "write", "rename"] as const) {
      faults.fail({ call, nth: 1, error: "ENOSPC", isForEver: true });
      await store.addSent("slack", ['{"n":1}']);
      faults.heal();
    }
    await store.addSent("slack", ['{"n":2}']);
    expect((await again.readSent("slack")).at(-1)).toBe('{"n":2}');
  });
});

describe("what deliveries keep, as a crash or a hand left it", () => {
  it("a dead letter that was cut is none, and the next one is whole", async () => {
    const { store, again, folder } = await stored();
    const file = join(folder, "dead-letters.jsonl");
    for (let cut = 1; cut < 8; cut++) {
      truncateSync(file, Buffer.byteLength('{"n":1}\n') + cut);
      expect((await letters(again))[0]).toBe('{"n":1}');
      await store.addDeadLetters([`{"cut":${cut}}`]);
      expect((await letters(again)).at(-1)).toBe(`{"cut":${cut}}`);
    }
    appendFileSync(file, Buffer.from([0xff, 0xfe, 0x0a]));
    await store.addDeadLetters(['{"n":9}']);
    expect((await letters(again)).at(-1)).toBe('{"n":9}');
  });

  it("a folder where a file should be is an error that names it", async () => {
    const { store, folder } = await stored();
    mkdirSync(join(folder, "deliveries", "email.json"));
    for (const work of [() => store.load("email"), () => store.save("email", "{}")])
      expect(await codeOf(work)).toMatch(/^STORAGE_(UNUSABLE|DEGRADED)$/);
    expect((await store.load("slack"))?.trim()).toBe('{"n":1}');
  });
});
