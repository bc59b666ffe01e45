/** The contract's rules for watching (`storage.contract.ts`). */

import { expect } from "vitest";

import type { Storage } from "../../src/storage/storage.ts";
import { appendLines, begun } from "./log-lines.ts";
import { withLog, type Rule } from "./stored-logs.ts";

/** What a watcher has heard, and a way to wait for it. */
export interface Heard {
  readonly refs: (string | undefined)[];
  /** Resolves when the ref is heard, from now on. */
  readonly next: (ref: string | undefined) => Promise<void>;
  readonly stop: () => void;
}

export function hear(storage: Pick<Storage, "watch">, ref?: string): Heard {
  const refs: (string | undefined)[] = [];
  const waiting: (() => void)[] = [];
  const stop = storage.watch(ref, (changed) => {
    refs.push(changed);
    for (const wake of waiting.splice(0)) wake();
  });
  const next = async (wanted: string | undefined): Promise<void> => {
    for (let at = refs.length; ; at++) {
      while (at === refs.length) await new Promise<void>((resolve) => waiting.push(resolve));
      if (refs[at] === wanted) return;
    }
  };
  return { refs, next, stop };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function watchRules(rule: Rule): void {
  rule("[S7] a watcher hears of an append soon, and of nothing once it is stopped", async (logs) => {
    const { writer } = await withLog(logs, 1);
    let seq = 1;
    for (const ref of ["up", undefined]) {
      const heard = hear(logs.open(), ref);
      const told = heard.next("up");
      seq += 1;
      await appendLines(writer, [seq, seq]);
      await told;
      heard.stop();
      heard.stop();
      const count = heard.refs.length;
      seq += 1;
      await appendLines(writer, [seq, seq]);
      await soon();
      expect(heard.refs).toHaveLength(count);
    }
  });

  rule("[S7] who watches all hears which log has changed, who watches one of it alone", async (logs) => {
    const { writer } = await withLog(logs, 1);
    const other = await begun(logs.open().openWriter("other"));
    await appendLines(other, [1, 1]);
    const storage = logs.open();
    const one = hear(storage, "up");
    const all = hear(storage);
    for (let seq = 2; seq <= 4; seq++) {
      const told = all.next("other");
      await appendLines(other, [seq, seq]);
      await told;
    }
    expect(one.refs).toEqual([]);
    const both = Promise.all([one.next("up"), all.next("up")]);
    await appendLines(writer, [2, 2]);
    await both;
    one.stop();
    const still = all.next("up");
    await appendLines(writer, [3, 3]);
    await still;
    all.stop();
  });

  rule("[S7] watchers hear of a log that comes, also into a storage that is not there yet", async (logs) => {
    const [one, all] = [hear(logs.open(), "up"), hear(logs.open())];
    const came = Promise.all([one.next("up"), all.next("up")]);
    const writer = await begun(logs.open().openWriter("up"));
    await appendLines(writer, [1, 1]);
    await came;
    const second = all.next("a/b");
    await appendLines(await begun(logs.open().openWriter("a/b")), [1, 1]);
    await second;
    one.stop();
    all.stop();
  });

  rule("[S7, S6] watchers hear that the next run begins, of the finished one by its own ref", async (logs) => {
    const { writer } = await withLog(logs, 2);
    const heard = [hear(logs.open(), "up"), hear(logs.open(), "up@1"), hear(logs.open()), hear(logs.open())] as const;
    const told = Promise.all([heard[0].next("up"), heard[1].next("up@1"), heard[2].next("up"), heard[3].next("up@1")]);
    await writer.beginNextRun();
    await told;
    const grown = Promise.all([heard[0].next("up"), heard[2].next("up")]);
    await appendLines(writer, [1, 1]);
    await grown;
    for (const { stop } of heard) stop();
  });

  rule("[S7] watchers hear that a log was deleted, and when it is there again", async (logs) => {
    const { storage, writer } = await withLog(logs, 2);
    const [one, all] = [hear(logs.open(), "up"), hear(logs.open())];
    const gone = Promise.all([one.next("up"), all.next("up")]);
    await writer.close();
    await storage.delete("up");
    await gone;
    expect(await storage.openReader("up")).toBeUndefined();
    const again = Promise.all([one.next("up"), all.next("up")]);
    await appendLines(await begun(storage.openWriter("up")), [1, 1]);
    await again;
    one.stop();
    all.stop();
  });

  rule("[S7] a function that watches twice is called for each, and each is stopped alone", async (logs) => {
    const { writer } = await withLog(logs, 1);
    const storage = logs.open();
    let calls = 0;
    const onChange = (): void => void (calls += 1);
    const stops = [storage.watch("up", onChange), storage.watch("up", onChange)];
    const last = hear(storage, "up");
    for (let seq = 2; seq <= 4; seq++) {
      const [before, told] = [calls, last.next("up")];
      await appendLines(writer, [seq, seq]);
      await told;
      expect(calls - before).toBe(4 - seq);
      stops[seq - 2]?.();
    }
    last.stop();
  });
}
