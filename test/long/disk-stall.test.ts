/** A disk that stands still: a sync takes five seconds, and nobody but who waits for stable storage may notice (D16). */

import { describe, expect, it, onTestFinished } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { check_G1, check_G2 } from "../faults/checks.ts";
import { killNow, startChild, type Child } from "../faults/child.ts";
import type { Measured } from "../faults/stall-child.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { meddle, straceTrouble } from "../faults/strace.ts";
import { tempFolder } from "../temp-folder.ts";

const ID = "upgrade-123";
const STALL_MS = 5_000;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;
/** One machine, two cores, other work: figures of time are of an order, not of a unit. */
const SOON_MS = 50;

/** Ten seconds of reports, with one sync that stands still for five of them. */
async function stalled(path: string): Promise<{ child: Child; measured: Measured }> {
  const child = startChild("stall-child.ts", [path, ID, 2 * STALL_MS]);
  onTestFinished(() => killNow(child));
  expect(await child.until("ready")).toBeDefined();
  const detach = await meddle(child.pid, { inject: `fdatasync:delay_enter=${STALL_MS}ms:when=10` });
  child.process.stdin?.write("go\n");
  const line = await child.until("{");
  expect(line, child.lines.slice(-5).join("\n")).toBeDefined();
  await detach();
  expect(await child.until("closed")).toBeDefined();
  return { child, measured: JSON.parse(line as string) as Measured };
}

describe("a disk that stands still for five seconds", () => {
  it("[L1] [L2] delays no command, only the flushes that wait for it, and loses nothing (D16)", async ({ skip }) => {
    const trouble = straceTrouble("a disk that stands still (D16)");
    if (trouble !== undefined) skip(trouble);
    const path = tempFolder();
    const { child, measured } = await stalled(path);
    const { thrown, flushes, grownBytes, loopDelayMs, longestCommandMs, commands } = measured;
    const slowest = Math.max(...flushes.map(({ ms }) => ms));
    const waited = flushes.filter(({ ms }) => ms > 1_000).length;
    console.log(
      `D16: ${commands} commands, longest ${longestCommandMs.toFixed(1)} ms; loop p99 ${loopDelayMs.p99.toFixed(1)} ms, ` +
        `max ${loopDelayMs.max.toFixed(1)} ms; ${flushes.length} flushes, ${waited} waited, slowest ${slowest.toFixed(0)} ms; ` +
        `memory +${(grownBytes / 1024 / 1024).toFixed(0)} MiB; health ${measured.healths.join(", ") || "unchanged"}`,
    );
    expect(thrown).toEqual([]);
    // The stall was there, and flushes told the truth about it: late, and resolved.
    expect(slowest).toBeGreaterThan(STALL_MS / 2);
    expect(flushes.filter(({ outcome }) => outcome !== "resolved")).toEqual([]);
    expect(measured.healths).toEqual(["degraded", "progressing"]);
    expect(longestCommandMs).toBeLessThan(STALL_MS / 10);
    expect(loopDelayMs.p99).toBeLessThan(SOON_MS);
    expect(grownBytes).toBeLessThan(MAX_GROWTH_BYTES);
    const acked = child.lines
      .filter((text) => text.startsWith("ack"))
      .map((text) => ({ seq: Number(text.split(" ")[1]), id: text.split(" ")[2] }) as ProgressEvent);
    const stored = eventsOnDisk(path, ID);
    expect(acked.length).toBeGreaterThanOrEqual(commands);
    expect([...check_G1(acked, stored), ...check_G2(stored)]).toEqual([]);
  }, 120_000);
});
