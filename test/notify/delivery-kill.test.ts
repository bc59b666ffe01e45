import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { Delivery } from "../../src/notify/delivery.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { isLong, killNow, randomOf, startChild } from "../faults/child.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { tempFolder } from "../temp-folder.ts";
import type { Death } from "./delivery-child.ts";
import { manualDeliveryClock, scriptedNotifier } from "./scripted-notifier.ts";

const CYCLES = isLong ? 150 : 15;
const BATCH = 5;

/** Kills a process that reports and delivers, again and again on one log; then delivers the rest. Returns how often each id came. */
async function killed(
  how: "random" | "before-save",
): Promise<{ path: string; times: Map<string, number>; late: Set<string> }> {
  const path = tempFolder();
  const random = randomOf(11);
  const times = new Map<string, number>();
  const count = (id: string): unknown => times.set(id, (times.get(id) ?? 0) + 1);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const child = startChild("../notify/delivery-child.ts", [path, how]);
    expect(await child.until("ready"), child.lines.join("\n")).toBeDefined();
    if (how === "random") {
      await sleep(random() * 150);
      await killNow(child);
    } else await child.ended;
    for (const line of child.lines) if (line.startsWith("got ")) count(line.slice(4));
  }
  const rest = scriptedNotifier("receiver");
  const last = new Delivery({ notifier: rest, storage: jsonLines({ path }), upgradeId: "up" });
  last.start();
  expect(await last.drain(10_000)).toBe(true);
  await last.close();
  const late = new Set(rest.calls.flatMap(({ events }) => events.map(({ id }) => id)));
  late.forEach(count);
  return { path, times, late };
}

describe("a process that dies while it delivers (N01, N02)", () => {
  it.each<Death>(["random", "before-save"])(
    "kill: %s",
    async (how) => {
      const { path, times, late } = await killed(how);
      const stored = eventsOnDisk(path, "up").map(({ id }) => id);
      expect(stored.filter((id) => !times.has(id))).toEqual([]);
      expect([...times.keys()].filter((id) => !new Set(stored).has(id))).toEqual([]);
      const repeated = [...times.values()].reduce((sum, each) => sum + each - 1, 0);
      expect(repeated).toBeLessThanOrEqual(CYCLES * BATCH);
      if (how === "before-save") expect(repeated).toBeGreaterThanOrEqual(CYCLES);
      const { lines } = await jsonLines({ path }).deliveries("up").readDeadLetters(0, 100_000_000);
      const dead = new Set(lines.map(({ text }) => (JSON.parse(text) as { id: string }).id));
      // What the receiver refused is a dead letter, unless nobody knew that when the process died: then it was told again.
      const refused = eventsOnDisk(path, "up").filter(({ seq }) => seq % 12 === 0);
      expect(refused.filter(({ id }) => !dead.has(id) && !late.has(id))).toEqual([]);
      expect(dead.size).toBeGreaterThan(0);
    },
    120_000,
  );
});

describe("two processes (N18)", () => {
  it("one tells; when it is killed the other goes on, and nothing is told twice but what was under way", async () => {
    const path = tempFolder();
    const child = startChild("../notify/delivery-child.ts", [path, "random"]);
    const got = await child.until("got ");
    expect(got, child.lines.join("\n")).toBeDefined();
    const clock = manualDeliveryClock();
    const mine = scriptedNotifier("receiver");
    const delivery = new Delivery({ notifier: mine, storage: jsonLines({ path }), upgradeId: "up", clock });
    delivery.start();
    for (let looked = 0; looked < 5; looked++) {
      await sleep(30);
      clock.pass(5_001);
    }
    expect(delivery.status.state).toBe("standby");
    expect(mine.calls).toEqual([]);
    await killNow(child);
    clock.pass(5_001);
    const theirs = child.lines.flatMap((line) => (line.startsWith("got ") ? [line.slice(4)] : []));
    expect(await delivery.drain(10_000)).toBe(true);
    await delivery.close();
    const all = [...theirs, ...mine.calls.flatMap(({ events }) => events.map(({ id }) => id))];
    const stored = eventsOnDisk(path, "up").map(({ id }) => id);
    expect(new Set(all)).toEqual(new Set(stored));
    expect(all.length - stored.length).toBeLessThanOrEqual(BATCH);
  });
});
