/** Death at each system call of its own, one after another: what a random kill -9 meets only by luck (D03, D15). */

import { appendFileSync, cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { check_G1, check_G2, check_G3 } from "../faults/checks.ts";
import { killNow } from "../faults/child.ts";
import type { Order } from "../faults/puppet.ts";
import { startPuppet, type Puppet } from "../faults/puppeteer.ts";
import { quickFolder } from "../faults/quick-folder.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { meddle, straceTrouble } from "../faults/strace.ts";

const ID = "upgrade-123";
const CALLS = ["write", "pwrite64", "fdatasync", "fsync", "rename", "openat", "unlink", "mkdir"] as const;
const LIMIT_MS = 3_600_000;

const commands = (...list: object[]): Order[] =>
  list.map((command) => ({ do: "execute", id: ID, commands: [command] }) satisfies Order);

/** Twenty appends, a flush, a snapshot, a next run. */
const ORDERS: readonly Order[] = [
  { do: "open", id: ID },
  ...commands(
    { type: "startUpgrade" },
    { type: "addTask", taskId: "a", taskName: "Nodes" },
    { type: "startTask", taskId: "a" },
  ),
  ...commands(
    ...Array.from({ length: 10 }, (_, step) => ({ type: "updateTaskProgress", taskId: "a", percentage: step })),
  ),
  { do: "flush", id: ID },
  { do: "snapshot", id: ID },
  ...commands({ type: "completeTask", taskId: "a" }, { type: "completeUpgrade" }),
  ...commands({ type: "startUpgrade" }, { type: "setCurrentPhase", phase: "Again" }),
  { do: "flush", id: ID },
  { do: "close", id: ID },
];

interface Told {
  readonly isWhole: boolean;
  /** What the answers say has happened, per run. */
  readonly acked: readonly ProgressEvent[][];
}

async function tellAll(puppet: Puppet, orders: readonly Order[]): Promise<Told> {
  const answers = await Promise.all(orders.map((order) => puppet.tell(order)));
  const acked: ProgressEvent[][] = [[], []];
  let run = 0;
  for (const { code, events = [] } of answers) {
    if (code !== "ok") break;
    for (const event of events as unknown as ProgressEvent[]) {
      if (event.type === "upgrade.started" && (acked[0]?.length ?? 0) > 0) run = 1;
      acked[run]?.push(event);
    }
  }
  return { isWhole: answers.at(-1)?.code === "ok", acked };
}

const open = (path: string) =>
  new ProgressTracker({ upgradeId: ID, planId: "plan-456", clusterName: "my-cluster", storagePath: path });

async function violationsIn(path: string, acked: readonly ProgressEvent[][]): Promise<string[]> {
  try {
    await open(path).close();
    const hasNext = readdirSync(join(path, "upgrades")).includes(`${ID}@1`) && eventsOnDisk(path, `${ID}@1`).length > 0;
    const first = eventsOnDisk(path, hasNext ? `${ID}@1` : ID);
    const second = hasNext ? eventsOnDisk(path, ID) : [];
    return [
      ...check_G1(acked[0] ?? [], first),
      ...check_G1(acked[1] ?? [], second),
      ...check_G2(first),
      ...check_G2(second),
    ];
  } catch (error) {
    return check_G3({ error, stored: [] });
  }
}

describe("death at a system call", () => {
  it(
    "[L1] [L4] loses nothing acknowledged at any call of a life with a snapshot and a next run (D03)",
    async ({ skip }) => {
      const trouble = straceTrouble("death at each system call");
      if (trouble !== undefined) skip(trouble);
      const root = quickFolder();
      const found: string[] = [];
      let points = 0;
      for (const call of CALLS) {
        for (let nth = 1, isWhole = false; !isWhole && nth < 500; nth++) {
          const path = join(root, `${call}-${nth}`);
          const puppet = startPuppet(path);
          await puppet.tell({ do: "ready" });
          await meddle(puppet.pid, { inject: `${call}:signal=KILL:when=${nth}` });
          const told = await tellAll(puppet, ORDERS);
          await killNow(puppet.child);
          isWhole = told.isWhole;
          points += 1;
          for (const violation of await violationsIn(path, told.acked)) found.push(`${call} ${nth}: ${violation}`);
        }
      }
      console.log(`D03: ${points} points of death`);
      expect(found).toEqual([]);
      expect(points).toBeGreaterThan(50);
    },
    LIMIT_MS,
  );

  it(
    "[L4] leaves the same state, however often the opening itself dies (D15)",
    async ({ skip }) => {
      const trouble = straceTrouble("death at each system call");
      if (trouble !== undefined) skip(trouble);
      const root = quickFolder();
      const source = join(root, "source");
      const writer = startPuppet(source);
      await tellAll(writer, ORDERS.slice(0, 12));
      await killNow(writer.child);
      appendFileSync(join(source, "upgrades", ID, "journal", "1.jsonl"), '{"seq":13,"cursor":"torn');
      const before = eventsOnDisk(source, ID);
      const found: string[] = [];
      let points = 0;
      for (const call of CALLS) {
        for (let nth = 1, isWhole = false; !isWhole && nth < 200; nth++) {
          const path = join(root, `${call}-${nth}`);
          cpSync(source, path, { recursive: true });
          const puppet = startPuppet(path);
          await puppet.tell({ do: "ready" });
          await meddle(puppet.pid, { inject: `${call}:signal=KILL:when=${nth}` });
          const phase = commands({ type: "setCurrentPhase", phase: "After the crash" });
          const told = await tellAll(puppet, [{ do: "open", id: ID }, ...phase, { do: "flush", id: ID }]);
          await killNow(puppet.child);
          isWhole = told.isWhole;
          points += 1;
          const tracker = open(path);
          tracker.setCurrentPhase("After the crash");
          await tracker.close();
          const stored = eventsOnDisk(path, ID);
          const phases = canonicalJson(tracker.progress.phases.map((stay) => stay.phase));
          if (phases !== canonicalJson(["Initialization", "After the crash"])) found.push(`${call} ${nth}: ${phases}`);
          found.push(...[...check_G1(before, stored), ...check_G2(stored)].map((what) => `${call} ${nth}: ${what}`));
        }
      }
      console.log(`D15: ${points} points of death`);
      expect(found).toEqual([]);
    },
    LIMIT_MS,
  );
});
