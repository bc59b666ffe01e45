import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  checkDisk,
  checkFolder,
  checkNode,
  checkPseudoTerminal,
  folderRemedy,
} from "../../../src/cli/doctor/machine.ts";
import type { ProgressTracker } from "../../../src/progress-tracker.ts";
import { run, temporaryFolder } from "../command-line.ts";
import { damage, ended, running } from "../recorded.ts";

let open: ProgressTracker | undefined;
afterEach(() => open?.close());

const doctor = (storagePath: string, ...more: string[]) => run(["doctor", "--storage-path", storagePath, ...more]);

describe("milepost doctor", () => {
  it("finds nothing on a machine that is well", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    const { exitCode, stdout } = await doctor(storagePath);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`ok       Node: ${process.versions.node}\n`);
    expect(stdout).toMatch(/^ok {7}pseudo-terminal: /m);
    expect(stdout).toMatch(/^ok {7}disk: .* free$/m);
    expect(stdout).toContain(`ok       upgrades: 1 log in ${storagePath}, 1 well, 0 being written\n`);
    expect((await doctor(storagePath, "--quiet")).stdout).toBe("");
  });

  it("names who writes an upgrade, and warns of one that nobody writes any more", async () => {
    const storagePath = temporaryFolder();
    open = running({ storagePath, upgradeId: "held" });
    const left = running({ storagePath, upgradeId: "left" });
    await left.close();
    const clock = { now: () => Date.now() + 3_600_000, monotonic: () => 0 };
    const { exitCode, stdout } = await run(["doctor", "--storage-path", storagePath, "--json"], { clock });
    expect(exitCode).toBe(0);
    const { ok, findings } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(findings).toContainEqual({
      check: "upgrade held",
      level: "ok",
      text: expect.stringContaining(`(pid ${process.pid} on`),
    });
    expect(findings).toContainEqual({
      check: "upgrade left",
      level: "warning",
      text: expect.stringContaining("nobody has reported for 60 min"),
      remedy: expect.stringContaining("run the program again"),
    });
  });

  it("finds a damaged log, says what to do, and exits with 1", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    damage(storagePath);
    const { exitCode, stdout } = await doctor(storagePath);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^problem {2}upgrade upgrade-123: /m);
    expect(stdout).toContain("milepost salvage upgrade-123");
  });

  it("finds a storage folder that cannot be", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    const { exitCode, stdout } = await doctor(join(folder, "file"));
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^problem {2}folder: /m);
  });
});

describe("the checks of the machine", () => {
  it.each([
    ["22.12.0", "problem"],
    ["22.13.0", "ok"],
    ["24.0.0", "ok"],
    ["20.19.0", "problem"],
  ])("Node %s is %s", (version, level) => {
    expect(checkNode(version).level).toBe(level);
  });

  it("warns when there is no pseudo-terminal", async () => {
    expect(await checkPseudoTerminal(() => Promise.reject(new Error("no")))).toMatchObject({
      level: "warning",
      remedy: expect.any(String),
    });
  });

  it("makes nothing in a folder that is not there yet, and leaves nothing in one that is", async () => {
    const folder = temporaryFolder();
    expect(checkFolder(join(folder, "a", "b"))).toMatchObject({
      level: "ok",
      text: expect.stringContaining("will be made"),
    });
    expect(checkFolder(folder)).toMatchObject({ level: "ok", text: `${folder} can be written` });
    expect(checkDisk(join(folder, "a", "b")).level).not.toBe("problem");
  });

  it("says to free space where the disk is full, and to give access where that is missing", () => {
    let full: unknown;
    try {
      writeFileSync("/dev/full", "x");
    } catch (error) {
      full = error;
    }
    expect(folderRemedy(full)).toContain("free space on its disk");
    expect(folderRemedy(new Error("EACCES"))).toContain("write access");
  });

  it("says that a file stands where the folder belongs, and not to give access to it", () => {
    const file = join(temporaryFolder(), "data");
    writeFileSync(file, "");
    for (const path of [file, join(file, "below")])
      expect(checkFolder(path)).toMatchObject({ level: "problem", text: `${file} is a file` });
  });

  it.skipIf(process.getuid?.() === 0)("finds a folder without the right to write", () => {
    const folder = join(temporaryFolder(), "closed");
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    expect(checkFolder(folder)).toMatchObject({ level: "problem", remedy: expect.stringContaining("write access") });
  });
});
