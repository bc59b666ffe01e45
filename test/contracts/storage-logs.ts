/** The contract's rules for writers, snapshots and runs (`storage.contract.ts`). */

import { expect } from "vitest";

import { HOSTILE_IDS } from "../hostile-ids.ts";
import { appendLines, begun, codeOf, makeLines, readAll } from "./log-lines.ts";
import { HOLDER, openReader, withLog, type Rule } from "./stored-logs.ts";

export function writerRules(rule: Rule): void {
  rule("[S4, K1] a second writer is refused with LOCKED and told who holds the log", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 2);
    await writer.announce(HOLDER);
    for (const other of [storage, logs.open()]) {
      const error = await Promise.resolve()
        .then(() => other.openWriter("up"))
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "LOCKED", context: { holder: HOLDER } });
      expect(await other.holder("up")).toEqual(HOLDER);
    }
    await appendLines(writer, [3, 3]);
    expect((await readAll(await openReader(storage, "up"))).length).toBeGreaterThan(Buffer.concat(lines).length);
  });

  rule("[S4, K6] close frees the log, may be called twice, and takes nothing from the next holder", async (logs) => {
    const { storage, writer } = await withLog(logs, 2);
    await writer.announce(HOLDER);
    await writer.close();
    expect(await storage.holder("up")).toBeUndefined();
    const next = await begun(storage.openWriter("up"));
    await next.announce({ ...HOLDER, pid: 4712 });
    await writer.close();
    expect(await storage.holder("up")).toMatchObject({ pid: 4712 });
    expect(await codeOf(() => storage.openWriter("up"))).toBe("LOCKED");
    await appendLines(next, [3, 3], { term: "t2" });
  });

  rule("[K6] a closed writer is refused with CLOSED and writes nothing", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 2);
    await writer.close();
    const late = makeLines(writer.header, [3, 3])[0] as Buffer;
    for (const call of [() => writer.append(2, late, 3), () => writer.sync(), () => writer.beginNextRun()])
      expect(await codeOf(call)).toBe("CLOSED");
    expect(await codeOf(() => writer.saveSnapshot({ seq: 1, cursor: "a.b.1" }, ["{}"]))).toBe("CLOSED");
    expect(await readAll(await openReader(storage, "up"))).toEqual(Buffer.concat(lines));
    expect(await storage.list()).toEqual([{ ref: "up", upgradeId: "up" }]);
  });

  rule("[K3, K4] who is displaced is refused with FENCED, and its late lines are not in the log", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 3);
    await writer.sync();
    const taker = await begun(logs.open().openWriter("up", { takeOver: true }));
    const mine = await appendLines(taker, [4, 5], { term: "t2" });
    const late = makeLines(writer.header, [4, 4])[0] as Buffer;
    expect(await codeOf(() => writer.append(3, late, 4))).toBe("FENCED");
    expect(await codeOf(() => writer.append(3, late, 4))).toBe("FENCED");
    expect(await codeOf(() => writer.sync())).toBe("FENCED");
    const more = await appendLines(taker, [6, 6], { term: "t2", opens: false });
    await writer.close();
    expect(await codeOf(() => storage.openWriter("up"))).toBe("LOCKED");
    expect(await readAll(await openReader(storage, "up"))).toEqual(Buffer.concat([...lines, ...mine, ...more]));
  });
}

export function snapshotRules(rule: Rule): void {
  const cursorAt = (lines: readonly Buffer[], seq: number): string =>
    (JSON.parse((lines[seq - 1] as Buffer).toString()) as { cursor: string }).cursor;

  rule("[S5] the newest snapshot comes back as a whole, the reader right behind it", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 20);
    for (const seq of [5, 12]) {
      const parts = ['{"a":"é', "🚀", `","seq":${seq}}`];
      await writer.saveSnapshot({ seq, cursor: cursorAt(lines, seq) }, parts);
      const reader = await openReader(storage, "up");
      expect(await reader.snapshot()).toEqual({ seq, cursor: cursorAt(lines, seq), text: parts.join("") });
      expect(await readAll(reader)).toEqual(Buffer.concat(lines.slice(seq)));
    }
    await writer.close();
    const again = await logs.open().openWriter("up");
    expect((await again.reader.snapshot())?.seq).toBe(12);
  });

  rule("[S5, L11] a log without a snapshot is read from its beginning", async (logs) => {
    const { storage, lines } = await withLog(logs, 4);
    const reader = await openReader(storage, "up");
    await reader.seek(3);
    expect(await reader.snapshot()).toBeUndefined();
    expect(await readAll(reader)).toEqual(Buffer.concat(lines));
  });

  rule("[L10, L11] a snapshot that is not on the history of the log is passed over", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 4);
    const { logId } = writer.header;
    for (const [seq, cursor] of [
      [2, `another.t1.2`],
      [2, `${logId}.t9.2`],
      [2, `${logId}.t1.3`],
      [5, `${logId}.t1.5`],
      [1000, `${logId}.t1.1000`],
    ] as const) {
      await writer.saveSnapshot({ seq, cursor }, ["{}"]);
      const reader = await openReader(storage, "up");
      expect(await reader.snapshot(), cursor).toBeUndefined();
      expect(await readAll(reader)).toEqual(Buffer.concat(lines));
    }
  });
}

export function runRules(rule: Rule): void {
  rule("[S6, U3] the next run has a log of its own, and the finished one stays readable as <id>@<n>", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 3);
    const follower = await openReader(storage, "up");
    await readAll(follower);
    const unread = await openReader(storage, "up");
    const first = writer.header;
    const next = await writer.beginNextRun();
    expect(next).toEqual(writer.header);
    expect(next).toMatchObject({ upgradeId: "up", run: 2 });
    expect(next.logId).not.toBe(first.logId);
    expect(await storage.list()).toEqual([{ ref: "up@1", upgradeId: "up", run: 1 }]);
    const second = await appendLines(writer, [1, 2]);
    const finished = await openReader(storage, "up@1");
    expect(finished.header).toEqual(first);
    expect(await readAll(finished)).toEqual(Buffer.concat(lines));
    expect(await readAll(await openReader(storage, "up"))).toEqual(Buffer.concat(second));
    expect(await codeOf(() => follower.read())).toBe("CURSOR_GONE");
    // One that had read nothing reads either what it was opened on or that it is gone, never something else.
    expect(await readAll(unread).catch((error: unknown) => error)).toSatisfy(
      (seen: unknown) =>
        (seen instanceof Error && "code" in seen && seen.code === "CURSOR_GONE") ||
        Buffer.concat(lines).equals(seen as Buffer),
    );
    await writer.beginNextRun();
    await appendLines(writer, [1, 1]);
    await writer.close();
    const again = await logs.open().openWriter("up");
    expect(again.header.run).toBe(3);
    const refs = (await storage.list()).map(({ ref }) => ref).sort();
    expect(refs).toEqual(["up", "up@1", "up@2"]);
  });

  rule(
    "[S6] delete removes an upgrade with its finished runs and nothing else, and not while it is held",
    async (logs) => {
      const { storage, writer } = await withLog(logs, 3);
      await writer.beginNextRun();
      await appendLines(writer, [1, 1]);
      const twin = await begun(storage.openWriter("up@1"));
      await appendLines(twin, [1, 1]);
      expect(await codeOf(() => storage.delete("up"))).toBe("LOCKED");
      expect(await storage.list()).toHaveLength(3);
      await writer.close();
      await twin.close();
      await storage.delete("up");
      expect(await storage.list()).toEqual([{ ref: "up@1", upgradeId: "up@1" }]);
      await storage.delete("up");
      await storage.delete("never there");
      const anew = await begun(storage.openWriter("up"));
      expect(anew.header.run).toBe(1);
      expect(await anew.reader.read()).toBeUndefined();
    },
  );

  rule("[S6] an upgrade whose id looks like a finished run is itself", async (logs) => {
    const { storage, writer, lines } = await withLog(logs, 2);
    await writer.beginNextRun();
    expect(await readAll(await openReader(storage, "up@1"))).toEqual(Buffer.concat(lines));
    const twin = await begun(storage.openWriter("up@1"));
    const own = await appendLines(twin, [1, 1], { text: "twin" });
    expect(await readAll(await openReader(storage, "up@1"))).toEqual(Buffer.concat(own));
  });

  rule("[S6] info says whether there is a log and how large it is", async (logs) => {
    const { storage, lines } = await withLog(logs, 9);
    expect(await storage.info("none")).toMatchObject({ exists: false, sizeBytes: 0 });
    const { exists, sizeBytes, location } = await storage.info("up");
    expect(exists).toBe(true);
    expect(sizeBytes).toBeGreaterThanOrEqual(Buffer.concat(lines).length);
    expect(location).not.toBe("");
  });

  rule("[V1, X1, X2] every hostile id has a log of its own under exactly its name (M06)", async (logs) => {
    const storage = logs.open();
    expect(new Set(HOSTILE_IDS).size).toBeGreaterThanOrEqual(40);
    const stored = new Map<string, Buffer>();
    for (const [index, id] of [...new Set(HOSTILE_IDS)].entries()) {
      const writer = await begun(storage.openWriter(id));
      stored.set(id, Buffer.concat(await appendLines(writer, [1, 1], { term: `h${index}`, text: id })));
      await writer.close();
    }
    const listed = await logs.open().list();
    expect(listed.map(({ ref }) => ref).sort()).toEqual([...stored.keys()].sort());
    for (const [id, bytes] of stored) {
      const reader = await openReader(storage, id);
      expect(reader.header.upgradeId).toBe(id);
      expect(await readAll(reader), JSON.stringify(id)).toEqual(bytes);
      reader.close();
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
}
