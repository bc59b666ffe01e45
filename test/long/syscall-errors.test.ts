/**
 * The kernel itself refuses: what `FaultFs` shows exhaustively is seen here for a sample with real system calls, and what
 * happens after a failed sync is read from a log of them (D10, D11).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { check_G1, check_G2 } from "../faults/checks.ts";
import type { Answer, Order } from "../faults/puppet.ts";
import { startPuppet, type Puppet } from "../faults/puppeteer.ts";
import { quickFolder } from "../faults/quick-folder.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { meddle, straceTrouble, type Meddling } from "../faults/strace.ts";

const CALLS = ["pwrite64", "fdatasync", "fsync", "openat", "rename", "mkdir"] as const;
const ERRORS = ["ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO", "EMFILE", "EACCES", "ENOMEM", "EAGAIN"] as const;
/** Once, at the first call or a later one, and from there on for ever. */
const TIMES = ["1", "2", "1+", "3+"] as const;

const execute = (id: string, ...list: object[]): Order[] =>
  list.map((command) => ({ do: "execute", id, commands: [command] }));
const progress = (percentage: number): object => ({ type: "updateTaskProgress", taskId: "a", percentage });

/** Reports, flushes and snapshots; no next run, which may be refused. */
const ordersOf = (id: string): Order[] => [
  ...execute(id, { type: "startUpgrade" }, { type: "addTask", taskId: "a", taskName: "Nodes" }, progress(5)),
  { do: "flush", id },
  ...execute(id, progress(10), progress(20), { type: "setCurrentPhase", phase: "Finish" }),
  { do: "snapshot", id },
  ...execute(id, progress(30)),
  { do: "flush", id },
  ...execute(id, progress(40), { type: "completeTask", taskId: "a" }),
  { do: "flush", id },
];

/** All that an upgrade's log may touch while it is written. Its lock is another thing: that is asked, not written. */
function pathsOf(path: string, id: string): string[] {
  const folder = join(path, "upgrades", id);
  const files = [1, 2, 3].flatMap((number) => [`${number}.jsonl`, `${number}.jsonl.new`]);
  return [folder, join(folder, "journal"), ...files.map((file) => join(folder, "journal", file))];
}

interface Told {
  readonly acked: readonly ProgressEvent[];
  readonly violations: readonly string[];
  readonly refused: number;
}

/** Gives the orders; a command must not be refused, and what waits for stable storage only as it is promised. */
async function tellAll(puppet: Puppet, orders: readonly Order[]): Promise<Told> {
  const answers: Answer[] = [];
  for (const order of orders) answers.push(await puppet.tell(order));
  const refused = answers.filter(({ code }) => code !== "ok");
  const violations = answers.flatMap(({ code, message }, index) => {
    const isAllowed = code === "ok" || (code === "STORAGE_DEGRADED" && orders[index]?.do !== "execute");
    return isAllowed ? [] : [`${JSON.stringify(orders[index])} was answered ${code}: ${message}`];
  });
  const acked = answers.flatMap(({ events = [] }) => events) as unknown as ProgressEvent[];
  return { acked, violations, refused: refused.length };
}

/** One upgrade with the trouble while it is reported on, and without at its end; what is then wrong. */
async function meddled(puppet: Puppet, path: string, id: string, meddling: Meddling): Promise<Told> {
  expect(await puppet.tell({ do: "open", id })).toEqual({ code: "ok" });
  const detach = await meddle(puppet.pid, meddling);
  const told = await tellAll(puppet, ordersOf(id));
  await detach();
  const after = await tellAll(puppet, [...execute(id, { type: "completeUpgrade" }), { do: "flush", id }]);
  const violations = [...told.violations, ...after.violations];
  if (after.refused > 0) violations.push("the flush after the trouble was refused");
  const stored = eventsOnDisk(path, id);
  const acked = [...told.acked, ...after.acked];
  violations.push(...check_G1(acked, stored), ...check_G2(stored));
  const closed = await puppet.tell({ do: "close", id });
  if (closed.code !== "ok") violations.push(`closing was answered ${closed.code}`);
  violations.push(...puppet.child.lines.filter((line) => line.startsWith("!")));
  return { acked, violations, refused: told.refused };
}

describe("a system call that fails", () => {
  it("[L12] [L13] throws into no command, and all is stored in order without a restart when it is over (D10)", async ({
    skip,
  }) => {
    const trouble = straceTrouble("errors of real system calls (D10)");
    if (trouble !== undefined) skip(trouble);
    const path = quickFolder();
    const puppet = startPuppet(path);
    const found: string[] = [];
    let runs = 0;
    let hits = 0;
    let refusing = 0;
    for (const call of CALLS) {
      for (const error of ERRORS) {
        for (const when of TIMES) {
          const id = `run-${(runs += 1)}`;
          const inject = `${call}:error=${error}:when=${when}`;
          const log = { path: join(path, `${id}.trace`), calls: [call] };
          const { violations, refused } = await meddled(puppet, path, id, { inject, paths: pathsOf(path, id), log });
          hits += readFileSync(log.path, "utf8").split("(INJECTED)").length - 1;
          if (refused > 0) refusing += 1;
          found.push(...violations.map((violation) => `${inject}: ${violation}`));
        }
      }
    }
    console.log(`D10: ${runs} runs under strace, ${hits} calls failed, ${refusing} runs in which a flush was refused`);
    expect(found).toEqual([]);
    // Not every call is made often enough to fail a second or a third time.
    expect(hits).toBeGreaterThan(runs / 2);
    expect(refusing).toBeGreaterThan(runs / 4);
  }, 900_000);

  it("[L8] if it is a sync, no sync is asked of that file again, at any of fifty places (D11)", async ({ skip }) => {
    const trouble = straceTrouble("the log of calls after a failed sync (D11)");
    if (trouble !== undefined) skip(trouble);
    const path = quickFolder();
    const puppet = startPuppet(path);
    const found: string[] = [];
    let failed = 0;
    for (let nth = 1; nth <= 50; nth++) {
      const id = `upgrade-${nth}`;
      const log = { path: join(path, `${id}.trace`), calls: ["fdatasync", "fsync"] };
      const orders = Array.from({ length: 52 }, (_, step) => [
        ...execute(id, { type: "setCurrentPhase", phase: `Phase ${step}` }),
        { do: "flush" as const, id },
      ]).flat();
      await puppet.tell({ do: "open", id });
      await puppet.tell({ do: "execute", id, commands: [{ type: "startUpgrade" }] });
      const detach = await meddle(puppet.pid, { inject: `fdatasync:error=EIO:when=${nth}`, log });
      const { acked, violations, refused } = await tellAll(puppet, orders);
      await detach();
      await puppet.tell({ do: "close", id });
      const calls = readFileSync(log.path, "utf8").split("\n");
      const at = calls.findIndex((call) => call.includes("= -1 EIO"));
      const file = /<([^>]+\.jsonl)>/.exec(calls[at] ?? "")?.[1];
      if (file !== undefined) failed += 1;
      const later = calls.slice(at + 1).filter((call) => file !== undefined && call.includes(`<${file}>`));
      const stored = eventsOnDisk(path, id);
      const all = [...violations, ...later, ...check_G1(acked, stored), ...check_G2(stored)];
      if (refused > 1) all.push(`${refused} flushes were refused for one failed sync`);
      found.push(...all.map((violation) => `${nth}: ${violation}`));
    }
    console.log(`D11: ${failed} failed syncs`);
    expect(found).toEqual([]);
    expect(failed).toBe(50);
  }, 900_000);
});
