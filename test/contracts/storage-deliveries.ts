/** The contract's rules for what deliveries keep (`storage.contract.ts`). */

import { expect } from "vitest";

import { begun, codeOf } from "./log-lines.ts";
import { withLog, type Rule } from "./stored-logs.ts";

export function deliveryRules(rule: Rule): void {
  rule("what a delivery saved comes back as it was, for every opener, and by name", async (logs) => {
    const { storage } = await withLog(logs, 2);
    const store = storage.deliveries("up");
    expect(await store.load("slack")).toBeUndefined();
    expect(await store.list()).toEqual([]);
    await store.save("slack", '{"é":"🚀"}');
    await store.save("eventbridge", "{}");
    await store.save("slack", '{"é":"🚀 2"}');
    const again = logs.open().deliveries("up");
    expect((await again.load("slack"))?.trim()).toBe('{"é":"🚀 2"}');
    expect(await again.list()).toEqual(["eventbridge", "slack"]);
  });

  rule("dead letters come back in order from any place that was given, and only whole ones", async (logs) => {
    const { storage } = await withLog(logs, 2);
    const store = storage.deliveries("up");
    const texts = Array.from({ length: 50 }, (_, index) => `{"n":${index},"text":"${"é".repeat(index * 40)}"}`);
    for (let at = 0; at < texts.length; at += 7) await store.addDeadLetters(texts.slice(at, at + 7));
    for (const maxBytes of [1, 300, 65_536]) {
      const read: { text: string; next: number }[] = [];
      for (let next = 0; ;) {
        const part = await logs.open().deliveries("up").readDeadLetters(next, maxBytes);
        read.push(...part.lines);
        if (part.next === next) break;
        ({ next } = part);
      }
      expect(read.map(({ text }) => text)).toEqual(texts);
      const third = read[2] as { next: number };
      expect((await store.readDeadLetters(third.next, 1)).lines[0]?.text).toBe(texts[3]);
    }
    const end = (await store.readDeadLetters(0, 1_000_000)).next;
    expect(await store.readDeadLetters(end)).toEqual({ lines: [], next: end });
  });

  rule("what was sent is kept, the newest at least, and not without end", async (logs) => {
    const { storage } = await withLog(logs, 2);
    const store = storage.deliveries("up");
    await store.save("slack", "{}");
    const line = (n: number): string => `{"n":${n},"text":"${"x".repeat(1_000)}"}`;
    for (let n = 0; n < 12_000; n += 100)
      await store.addSent(
        "slack",
        Array.from({ length: 100 }, (_, index) => line(n + index)),
      );
    const kept = await store.readSent("slack");
    expect(kept.at(-1)).toBe(line(11_999));
    expect(kept.length).toBeGreaterThan(500);
    expect(kept.length).toBeLessThanOrEqual(10_000);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => line(12_000 - kept.length + index)));
    expect(await store.readSent("other")).toEqual([]);
  });

  rule("one may tell a notifier of an upgrade at a time", async (logs) => {
    const { storage } = await withLog(logs, 2);
    const first = await storage.deliveries("up").lock("slack");
    expect(first?.isHeld()).toBe(true);
    for (const other of [storage, logs.open()]) expect(await other.deliveries("up").lock("slack")).toBeUndefined();
    const another = await storage.deliveries("up").lock("email");
    expect(another).toBeDefined();
    first?.release();
    first?.release();
    const second = await logs.open().deliveries("up").lock("slack");
    expect(second?.isHeld()).toBe(true);
    first?.release();
    expect(await storage.deliveries("up").lock("slack")).toBeUndefined();
    second?.release();
    another?.release();
  });

  rule("what deliveries keep is of all runs, and goes with the upgrade", async (logs) => {
    const { storage, writer } = await withLog(logs, 2);
    const store = storage.deliveries("up");
    await store.save("slack", "{}");
    await store.addDeadLetters(['{"a":1}']);
    await writer.beginNextRun();
    expect((await store.load("slack"))?.trim()).toBe("{}");
    expect((await store.readDeadLetters(0)).lines).toHaveLength(1);
    await writer.close();
    await storage.delete("up");
    expect(await store.load("slack")).toBeUndefined();
    expect(await codeOf(() => store.save("slack", "{}"))).toBe("UNKNOWN_UPGRADE");
    expect(await codeOf(() => store.addDeadLetters(["{}"]))).toBe("UNKNOWN_UPGRADE");
    expect(await codeOf(() => store.lock("slack"))).toBe("UNKNOWN_UPGRADE");
    expect(await storage.list()).toEqual([]);
  });

  rule("what a delivery saved comes back whole, whatever text it is, and of each upgrade its own", async (logs) => {
    const { storage } = await withLog(logs, 2);
    const other = await begun(storage.openWriter("other"));
    const store = storage.deliveries("up");
    const texts = ["{}", "\u0000 \u2028 \u001b[2J 🚀", "x".repeat(2_000_000), '{"version":99,"what":"comes later"}'];
    for (const text of texts) {
      await store.save("slack", text);
      expect((await logs.open().deliveries("up").load("slack"))?.trim()).toBe(text);
    }
    expect(await storage.deliveries("other").list()).toEqual([]);
    await storage.deliveries("other").save("slack", "{}");
    expect((await store.load("slack"))?.trim()).toBe(texts.at(-1));
    await other.close();
  });

  rule("nothing is kept for an upgrade that there never was, and asking for it is no error", async (logs) => {
    const store = logs.open().deliveries("nobody");
    expect(await store.load("slack")).toBeUndefined();
    expect(await store.list()).toEqual([]);
    expect(await store.readSent("slack")).toEqual([]);
    expect(await store.readDeadLetters(0)).toEqual({ lines: [], next: 0 });
    expect(await codeOf(() => store.save("slack", "{}"))).toBe("UNKNOWN_UPGRADE");
    expect(await codeOf(() => store.addDeadLetters(["{}"]))).toBe("UNKNOWN_UPGRADE");
    expect(await codeOf(() => store.lock("slack"))).toBe("UNKNOWN_UPGRADE");
    // For people only, so it never fails.
    await store.addSent("slack", ["{}"]);
    expect(await store.readSent("slack")).toEqual([]);
  });
}
