/**
 * A program that reports into one upgrade at a steady pace and flushes now and then, and measures what that costs it: how
 * long a command takes, how late the event loop is, how much memory is in use.
 *
 * `node stall-child.ts <path> <upgrade> <ms>`; says `ready` when it is open and has flushed once, works when a line comes on
 * standard input, says `ack <seq> <id>` per event, and at its end one JSON line: {@link Measured}.
 */

import { writeSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { ProgressTracker } from "../../src/progress-tracker.ts";

/** What the program saw. */
export interface Measured {
  readonly commands: number;
  readonly thrown: readonly string[];
  readonly longestCommandMs: number;
  /** How late the event loop was, at worst but for one turn in a hundred, and at worst. */
  readonly loopDelayMs: { readonly p99: number; readonly max: number };
  /** How much more memory was in use than at the start, at most. */
  readonly grownBytes: number;
  /** Each flush: how many events had been acknowledged when it was asked for, how it ended, how long it took. */
  readonly flushes: readonly { readonly seq: number; readonly outcome: string; readonly ms: number }[];
  /** Every health that was recorded. */
  readonly healths: readonly string[];
}

const [path = "", upgradeId = "", durationMs = "0"] = process.argv.slice(2);
const REPORTS_PER_TURN = 20;
const TURN_MS = 5;
const FLUSH_EVERY_MS = 250;

const say = (line: string): void => void writeSync(1, `${line}\n`);
const tracker = new ProgressTracker({ upgradeId, planId: "plan-456", clusterName: "my-cluster", storagePath: path });
const healths: string[] = [];
let unsaid: string[] = [];
tracker.addEventCallback((event) => {
  unsaid.push(`ack ${event.seq} ${event.id}`);
  if (event.type === "health.changed") healths.push(event.health);
});
tracker.startUpgrade("Nodes");
tracker.addTask("task-1", "Nodes");
await tracker.flush();
say("ready");
for await (const _line of createInterface(process.stdin)) break;

const thrown: string[] = [];
const flushes: Measured["flushes"][number][] = [];
const flushing: Promise<unknown>[] = [];
let commands = 0;
let longestCommandMs = 0;
let grownBytes = 0;
const startBytes = process.memoryUsage.rss();
const loop = monitorEventLoopDelay({ resolution: 5 });
loop.enable();

function report(): void {
  const began = performance.now();
  try {
    tracker.updateTaskProgress("task-1", (commands % 1_000) / 10, `node ${commands}`);
  } catch (error) {
    thrown.push(String(error));
  }
  commands += 1;
  longestCommandMs = Math.max(longestCommandMs, performance.now() - began);
}

async function flush(): Promise<void> {
  const { seq } = tracker.progress;
  const began = performance.now();
  const outcome = await tracker.flush().then(() => "resolved", String);
  flushes.push({ seq, outcome, ms: performance.now() - began });
}

let flushedAt = performance.now();
for (const until = performance.now() + Number(durationMs); performance.now() < until; await sleep(TURN_MS)) {
  for (let count = 0; count < REPORTS_PER_TURN; count++) report();
  say(unsaid.join("\n"));
  unsaid = [];
  grownBytes = Math.max(grownBytes, process.memoryUsage.rss() - startBytes);
  if (performance.now() - flushedAt < FLUSH_EVERY_MS) continue;
  flushedAt = performance.now();
  flushing.push(flush());
}
loop.disable();
await Promise.all(flushing);
const loopDelayMs = { p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 };
say(
  JSON.stringify({ commands, thrown, longestCommandMs, loopDelayMs, grownBytes, flushes, healths } satisfies Measured),
);
await tracker.close();
say("closed");
process.exit(0);
