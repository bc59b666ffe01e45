import fc from "fast-check";
import { expect, test } from "vitest";

import type { LogReader } from "../../src/storage/storage.ts";
import { LiveLog } from "../../src/stream/live-log.ts";
import { silentLogger } from "../../src/tracker/logger.ts";
import { quickFolder } from "../faults/quick-folder.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";
import { Reader, turn, turns } from "./checked-subscriber.ts";
import { KeptLog } from "./kept-log.ts";

const isLong = process.env["MILEPOST_LONG"] === "1";

type Act = readonly ["report", number] | readonly ["pass", number] | readonly [string];

const acts = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.tuple(fc.constant("report" as const), fc.integer({ min: 1, max: 30 })) },
    { weight: 12, arbitrary: fc.constant(["drain"] as const) },
    { weight: 8, arbitrary: fc.constant(["turn"] as const) },
    { weight: 3, arbitrary: fc.tuple(fc.constant("pass" as const), fc.constantFrom(500, 1_500)) },
    { weight: 3, arbitrary: fc.constant(["change"] as const) },
    { weight: 2, arbitrary: fc.constantFrom(["reconnect"] as const, ["reopen"] as const, ["backUp"] as const) },
    { weight: 2, arbitrary: fc.constantFrom(["nextRun"] as const, ["restore"] as const, ["replace"] as const) },
    { weight: 1, arbitrary: fc.constant(["stop"] as const) },
  ),
  { minLength: 10, maxLength: 60, size: "max" },
);

test(
  "[W1, W2, W3] whatever the writer, the link and the history do, the reader sees no gap, no event twice and no wrong state",
  { timeout: isLong ? 3_600_000 : 60_000 },
  async () => {
    const totals = { events: 0, snapshots: 0, recoveries: 0, skipped: 0, resets: 0 };
    await fc.assert(
      fc.asyncProperty(acts, fc.constantFrom(0, 300, 5_000), async (all, windowBytes) => {
        const clock = manualClock();
        const kept = new KeptLog(quickFolder(), clock);
        const log = await kept.live();
        let reader = new Reader({ log, kept, clock, windowBytes });
        const leave = async (): Promise<void> => {
          await reader.stop();
          reader.check();
          const { counts } = reader.ledger;
          totals.events += counts.events;
          totals.snapshots += counts.snapshots;
          totals.recoveries += counts.recoveries;
          totals.skipped += counts.skipped;
          totals.resets += reader.counters.resets;
        };
        for (const act of all) {
          await take(act, { kept, clock, reader });
          if (act[0] === "reconnect" || act[0] === "stop") {
            const after = act[0] === "reconnect" ? reader.ledger.again() : undefined;
            await leave();
            reader = new Reader({ log, kept, clock, windowBytes, after });
          }
          reader.check();
        }
        await reader.readAll(kept);
        await leave();
        log.close();
        expect(kept.watchers).toBe(0);
        await kept.close();
      }),
      { numRuns: isLong ? 3_000 : 150 },
    );
    // Everything was met.
    expect(Math.min(...Object.values(totals))).toBeGreaterThan(20);
  },
);

async function take(
  act: Act,
  { kept, clock, reader }: { kept: KeptLog; clock: ManualClock; reader: Reader },
): Promise<void> {
  const [what, much = 0] = act as readonly [string, number?];
  if (what === "report") kept.report(much);
  else if (what === "pass") clock.pass(much);
  else if (what === "drain") reader.link.drain();
  else if (what === "turn") await turn();
  else if (what === "change") kept.change();
  else if (what === "nextRun") kept.nextRun();
  else if (what === "reopen") await kept.reopen();
  else if (what === "backUp") await kept.backUp();
  else if (what === "restore") await kept.restore();
  else if (what === "replace") await kept.replace();
}

test(
  "[W1] W04: of 10,000 readers that join while events come, at any moment before, at and after, each sees all of them once",
  { timeout: 120_000 },
  async () => {
    const clock = manualClock();
    const kept = new KeptLog(quickFolder(), clock);
    const log = await kept.live();
    const random = fc.sample(fc.nat({ max: 5 }), { numRuns: 40_000, seed: 4 });
    let [joined, next] = [0, 0];
    const moment = (): number => random[next++ % random.length] as number;
    const budget = { maxLagBytes: Infinity, maxLagMs: Infinity };
    while (joined < 10_000) {
      const readers: Reader[] = [];
      for (let n = 0; n < 100; n++, joined++) {
        if (moment() === 0) kept.report();
        const after =
          moment() < 3 && readers.length > 0 ? readers[moment() % readers.length]?.ledger.cursor : undefined;
        const reader = new Reader({ log, kept, clock, budget, after, windowBytes: moment() * 2_000 });
        readers.push(reader);
        // The next events come when this one has gone so many steps.
        for (let step = moment(); step > 0; step--) await Promise.resolve();
        if (moment() < 2) kept.report(1 + moment());
        if (moment() === 0) await turn();
        readers[moment()]?.link.drain();
      }
      for (const reader of readers) await reader.readAll(kept);
      for (const reader of readers) await reader.stop();
    }
    expect(joined).toBe(10_000);
    log.close();
    await kept.close();
  },
);

test("[W1] events that are read in the very moment in which a reader has caught up are not missed, at whatever step that is", async () => {
  for (let readSteps = 0; readSteps < 12; readSteps++) {
    for (let drainSteps = 0; drainSteps < 4; drainSteps++) {
      const clock = manualClock();
      const kept = new KeptLog(quickFolder(), clock);
      let open: (() => void) | undefined;
      const { source } = kept;
      // A storage that answers when it is let, and some steps later.
      const log = await LiveLog.open({
        logger: silentLogger,
        onReleased: () => undefined,
        source: {
          ...source,
          openReader: async () => {
            const reader = (await source.openReader()) as LogReader;
            const read = reader.read.bind(reader);
            let isHeld = false;
            return Object.assign(reader, {
              read: async (maxBytes?: number) => {
                const batch = await read(maxBytes);
                if (isHeld && batch !== undefined) {
                  await new Promise<void>((resolve) => (open = resolve));
                  for (let n = 0; n < readSteps; n++) await Promise.resolve();
                }
                isHeld ||= batch === undefined;
                return batch;
              },
            });
          },
        },
      });
      const reader = new Reader({ log, kept, clock, windowBytes: 5_000 });
      await reader.readAll(kept);
      kept.report(1, 6_000);
      while (open === undefined) await turn();
      open();
      await turns(5);
      // It holds more than it takes, so the next event waits for its other side to read.
      kept.report();
      open = undefined;
      while (open === undefined) await turn();
      const letGo = open as () => void;
      letGo();
      await turns(5);
      kept.report();
      open = undefined;
      while (open === undefined) await turn();
      reader.link.drain();
      for (let n = 0; n < drainSteps; n++) await Promise.resolve();
      (open as () => void)();
      await turns(5);
      open = undefined;
      kept.report();
      while (open === undefined) await turn();
      (open as () => void)();
      await reader.readAll(kept);
      await reader.stop();
      log.close();
      await kept.close();
    }
  }
});
