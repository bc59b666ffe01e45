/** Kills a writer again and again in the middle of its work, on one growing log, and keeps account of what it acknowledged. */

import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";

import type { ProgressEvent } from "../../src/model/event.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { check_G2, check_G9 } from "./checks.ts";
import { killNow, randomOf, startChild } from "./child.ts";
import { eventsOnDisk } from "./stored.ts";
import type { WriterMode } from "./writer-child.ts";

export interface CrashLoopOptions {
  readonly path: string;
  readonly upgradeId: string;
  readonly cycles: number;
  /** A slow machine makes more cycles until so much was acknowledged. */
  readonly minAcked?: number;
  readonly mode?: WriterMode;
  /** Tasks before the program is through; it never is, unless it begins runs. */
  readonly tasks?: number;
  readonly maxDelayMs?: number;
  readonly seed?: number;
}

export interface CrashLoopResult {
  readonly cycles: number;
  readonly acked: number;
  readonly runs: number;
  readonly violations: readonly string[];
}

/** What one run of the upgrade has acknowledged: the checksum of the event's id by seq. */
type Ledger = Map<number, number>;

interface Account {
  readonly ledgers: Map<number, Ledger>;
  readonly violations: string[];
  acked: number;
  /** The highest run whose log has been compared whole, and the seq up to which the present one has. */
  checkedRun: number;
  checkedSeq: number;
}

export async function crashLoop(options: CrashLoopOptions): Promise<CrashLoopResult> {
  const { cycles, minAcked = 0, maxDelayMs = 150, seed = 1 } = options;
  const random = randomOf(seed);
  const account: Account = { ledgers: new Map(), violations: [], acked: 0, checkedRun: 0, checkedSeq: 0 };
  let done = 0;
  for (; (done < cycles || account.acked < minAcked) && account.violations.length === 0; done++) {
    await killedRound(options, account, random() * maxDelayMs);
    await recover(options, account);
  }
  const stored = eventsOnDisk(options.path, options.upgradeId);
  account.violations.push(...check_G2(stored), ...compare(account.ledgers.get(account.checkedRun + 1), stored));
  return { cycles: done, acked: account.acked, runs: account.checkedRun, violations: account.violations };
}

async function killedRound(options: CrashLoopOptions, account: Account, delayMs: number): Promise<void> {
  const { path, upgradeId, tasks = 1_000_000, mode = "plain" } = options;
  const child = startChild("writer-child.ts", [path, upgradeId, tasks, mode]);
  const first = await child.until("ack");
  if (first === undefined)
    account.violations.push(`the program did not go on: ${child.lines.join(" | ").slice(0, 500)}`);
  await sleep(delayMs);
  await killNow(child);
  for (const line of child.lines) {
    const [word, run, seq, crc] = line.split(" ");
    if (word === "!") account.violations.push(`the program said ${line}`);
    if (word !== "ack") continue;
    const ledger = account.ledgers.get(Number(run)) ?? new Map<number, number>();
    account.ledgers.set(Number(run), ledger);
    if (ledger.has(Number(seq))) account.violations.push(`seq ${seq} of run ${run} was acknowledged twice`);
    ledger.set(Number(seq), Number(crc));
    account.acked += 1;
  }
}

/** Opens for writing, by itself and at once; then compares what is new. */
async function recover({ path, upgradeId }: CrashLoopOptions, account: Account): Promise<void> {
  const tracker = new ProgressTracker({ upgradeId, planId: "plan-456", clusterName: "my-cluster", storagePath: path });
  const { progress } = tracker;
  await tracker.close();
  for (; account.checkedRun < progress.run - 1; account.checkedRun++) {
    const run = account.checkedRun + 1;
    const events = eventsOnDisk(path, `${upgradeId}@${run}`);
    const ends = events.filter(({ type }) => type === "upgrade.completed").length;
    if (ends !== 1) account.violations.push(`the finished run ${run} holds ${ends} ends`);
    account.violations.push(...check_G2(events), ...compare(account.ledgers.get(run), events));
    account.ledgers.delete(run);
    account.checkedSeq = 0;
  }
  const fresh = eventsOnDisk(path, upgradeId, account.checkedSeq);
  if (fresh.some(({ seq }, index) => seq !== account.checkedSeq + index + 1)) account.violations.push("seq has a gap");
  account.violations.push(...compare(account.ledgers.get(progress.run), fresh, account.checkedSeq));
  if (account.checkedSeq === 0) account.violations.push(...check_G9(progress, fresh));
  account.checkedSeq = progress.seq;
}

/** What was acknowledged behind `afterSeq` must be among the stored events, as it was. */
function compare(ledger: Ledger | undefined, stored: readonly ProgressEvent[], afterSeq = 0): string[] {
  const bySeq = new Map(stored.map((event) => [event.seq, crc32(event.id)]));
  return [...(ledger ?? [])]
    .filter(([seq, crc]) => seq > afterSeq && bySeq.get(seq) !== crc)
    .slice(0, 3)
    .map(([seq]) => `acknowledged seq ${seq} is ${bySeq.has(seq) ? "another event" : "lost"}`);
}
