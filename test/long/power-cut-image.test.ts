/** A power cut on a real file system: the disk's image is copied while the writer stands still, and the copy is mounted (D04). */

import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { ProgressTracker } from "../../src/progress-tracker.ts";
import { check_G2 } from "../faults/checks.ts";
import { killNow, randomOf, startChild, type Child } from "../faults/child.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { tempFolder } from "../temp-folder.ts";

const ID = "upgrade-123";
/** A disk is used for so many cuts, then a new one: a writer that goes on for minutes would fill it. */
const CUTS_PER_DISK = 50;
const run = (program: string, ...args: string[]): void => void execFileSync(program, args, { stdio: "pipe" });

/** An ext4 image that writes nothing of its own accord for five minutes, mounted. @throws where that is not allowed. */
function mountImage(folder: string): { image: string; mount: string } {
  const image = join(folder, "disk.img");
  const mount = join(folder, "disk");
  writeFileSync(image, "");
  truncateSync(image, 64 * 1024 * 1024);
  mkdirSync(mount);
  run("mkfs.ext4", "-q", "-F", image);
  run("mount", "-o", "loop,commit=300", image, mount);
  return { image, mount };
}

/** The highest seq that the writer was told to be durable. */
function durableSeq(child: Child): number {
  const last = child.lines.findLast((line) => line.startsWith("durable"));
  return Number(last?.split(" ")[2] ?? 0);
}

interface Cut {
  readonly durable: number;
  readonly stored: number;
  readonly violations: readonly string[];
}

/** Stops the writer, copies the disk as it is, and opens what a machine would find when it comes up again. */
async function cut(child: Child, folder: string, image: string): Promise<Cut> {
  if (!child.process.kill("SIGSTOP")) throw new Error(`the writer has ended: ${child.lines.slice(-5).join(" | ")}`);
  // What it said before it stopped is still on its way here.
  await sleep(20);
  const durable = durableSeq(child);
  const copy = join(folder, "copy.img");
  const mount = join(folder, "copy");
  mkdirSync(mount, { recursive: true });
  run("cp", "--sparse=always", image, copy);
  process.kill(child.pid, "SIGCONT");
  run("mount", "-o", "loop", copy, mount);
  try {
    const path = join(mount, "data");
    const stored = eventsOnDisk(path, ID);
    const tracker = new ProgressTracker({
      upgradeId: ID,
      planId: "plan-456",
      clusterName: "my-cluster",
      storagePath: path,
    });
    const violations = tracker.progress.seq === stored.length ? [] : [`opened at seq ${tracker.progress.seq}`];
    await tracker.close();
    return { durable, stored: stored.length, violations: [...violations, ...check_G2(stored)] };
  } finally {
    run("umount", mount);
  }
}

/** Cuts the power under one writer, on a disk of its own. */
async function cutsOnOneDisk(mode: "flush" | "lying", count: number, random: () => number): Promise<Cut[]> {
  const folder = tempFolder();
  const { image, mount } = mountImage(folder);
  const child = startChild("writer-child.ts", [join(mount, "data"), ID, 1_000_000, mode]);
  try {
    expect(await child.until("durable")).toBeDefined();
    const found: Cut[] = [];
    for (let number = 0; number < count; number++) {
      await sleep(random() * 30);
      found.push(await cut(child, folder, image));
    }
    return found;
  } finally {
    await killNow(child);
    run("umount", "-l", mount);
  }
}

async function cuts(mode: "flush" | "lying", count: number): Promise<Cut[]> {
  const random = randomOf(7);
  const found: Cut[] = [];
  while (found.length < count) {
    found.push(...(await cutsOnOneDisk(mode, Math.min(CUTS_PER_DISK, count - found.length), random)));
  }
  return found;
}

/** Why no image can be mounted here; undefined when one can. */
function mountTrouble(): string | undefined {
  const folder = tempFolder();
  try {
    run("umount", mountImage(folder).mount);
    return undefined;
  } catch (error) {
    return `a power cut on a mounted image is left out: mounting is not allowed here (${String(error).slice(0, 120)})`;
  }
}

describe("a power cut on ext4", () => {
  it("[L2] takes nothing that a flush has promised, 300 times (D04)", async ({ skip }) => {
    const trouble = mountTrouble();
    if (trouble !== undefined) skip(trouble);
    const found = await cuts("flush", 300);
    expect(found.filter(({ durable, stored }) => stored < durable)).toEqual([]);
    expect(found.flatMap(({ violations }) => violations)).toEqual([]);
    console.log(`D04: ${found.length} cuts, up to ${Math.max(...found.map(({ durable }) => durable))} events durable`);
  }, 3_600_000);

  it("takes what was never synced, so that this test proves something", async ({ skip }) => {
    const trouble = mountTrouble();
    if (trouble !== undefined) skip(trouble);
    const found = await cuts("lying", 10);
    expect(found.some(({ durable, stored }) => stored < durable)).toBe(true);
  }, 600_000);
});
