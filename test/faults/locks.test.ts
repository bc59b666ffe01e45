import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { isMilepostError } from "../../src/errors.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { tempFolder } from "../temp-folder.ts";
import { check_G1, check_G2, check_G6 } from "./checks.ts";
import { isLong, killNow, randomOf } from "./child.ts";
import { startPuppet } from "./puppeteer.ts";
import { eventsOnDisk } from "./stored.ts";

const LIMIT_MS = isLong ? 3_600_000 : 60_000;

const open = (path: string, upgradeId: string, takeOver = false) =>
  new ProgressTracker({ upgradeId, planId: "plan-456", clusterName: "my-cluster", storagePath: path, takeOver });

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return "ok";
  } catch (error) {
    return isMilepostError(error) ? error.code : String(error);
  }
};

describe("one writer", () => {
  it(
    "[K1] of eight processes that open an upgrade at once exactly one gets it, and the others are told its pid (L01)",
    async () => {
      const path = tempFolder();
      const puppets = Array.from({ length: 8 }, () => startPuppet(path));
      const rounds = isLong ? 100 : 20;
      for (let round = 1; round <= rounds; round++) {
        const id = `round-${round}`;
        const answers = await Promise.all(puppets.map((puppet) => puppet.tell({ do: "open", id })));
        const winners = puppets.filter((_, index) => answers[index]?.code === "ok");
        expect(winners).toHaveLength(1);
        const [winner] = winners;
        for (const { code, message } of answers.filter((answer) => answer.code !== "ok")) {
          expect(code).toBe("LOCKED");
          expect(message).toContain(`process ${winner?.pid} `);
        }
        expect(await winner?.tell({ do: "close", id })).toEqual({ code: "ok" });
      }
      console.log(`L01: ${rounds} rounds of ${puppets.length} processes, one winner each`);
    },
    LIMIT_MS,
  );

  it(
    "[K2] the lock of a killed process is free at once, 100 times of 100 (L02)",
    async () => {
      const path = tempFolder();
      const puppets = Array.from({ length: 4 }, () => startPuppet(path));
      const owned = puppets.map((puppet, number) => ({
        puppet,
        ids: Array.from({ length: 25 }, (_, index) => `upgrade-${number}-${index}`),
      }));
      for (const { puppet, ids } of owned) {
        for (const id of ids) {
          expect(await puppet.tell({ do: "open", id })).toEqual({ code: "ok" });
          const commands = [{ type: "startUpgrade", phase: "Preparation" }];
          expect(await puppet.tell({ do: "execute", id, commands })).toMatchObject({ code: "ok" });
        }
        const [first = ""] = ids;
        expect(codeOf(() => open(path, first))).toBe("LOCKED");
        await killNow(puppet.child);
        for (const id of ids) {
          const tracker = open(path, id);
          expect(tracker.progress.status).toBe("in_progress");
          tracker.setCurrentPhase("Nodes");
          await tracker.close();
          expect(check_G2(eventsOnDisk(path, id))).toEqual([]);
        }
      }
    },
    LIMIT_MS,
  );

  it("[K2] a holder's name that was left behind, of a process that lives, keeps nobody out (L03)", async () => {
    const path = tempFolder();
    const folder = join(path, "upgrades", "upgrade-123");
    mkdirSync(folder, { recursive: true });
    const holder = { program: "another", pid: process.ppid, host: "here", since: "2026-01-01T00:00:00.000Z" };
    writeFileSync(join(folder, "holder.json"), JSON.stringify(holder));
    writeFileSync(join(folder, "lock"), "");
    const tracker = open(path, "upgrade-123");
    tracker.startUpgrade();
    expect(tracker.progress.status).toBe("in_progress");
    await tracker.close();
  });

  it(
    "[K3] [K4] a holder that was stopped and displaced is fenced, forks no history and loses nothing acknowledged (L04)",
    async () => {
      const path = tempFolder();
      const random = randomOf(4);
      const puppet = startPuppet(path);
      const rounds = isLong ? 100 : 6;
      let acknowledged = 0;
      for (let round = 1; round <= rounds; round++) {
        const id = `round-${round}`;
        await puppet.tell({ do: "open", id });
        const setUp = [{ type: "startUpgrade" }, { type: "addTask", taskId: "task-1", taskName: "Nodes" }];
        await puppet.tell({ do: "execute", id, commands: setUp });
        const from = puppet.child.lines.length;
        const working = puppet.tell({ do: "work", id, extra: 3 });
        await puppet.child.first(() => puppet.child.lines.slice(from).find((line) => line.startsWith("ack")));
        await sleep(random() * 60);
        process.kill(puppet.pid, "SIGSTOP");
        expect(codeOf(() => open(path, id))).toBe("LOCKED");
        const taker = open(path, id, true);
        const own = [taker.setCurrentPhase("Taken over")];
        process.kill(puppet.pid, "SIGCONT");
        for (let step = 0; step < 40; step++) {
          own.push(taker.updateTaskProgress("task-1", random() * 100));
          await sleep(1);
        }
        expect((await working).code).toBe("ok");
        own.push(taker.completeTask("task-1"));
        await taker.flush();
        expect(await puppet.tell({ do: "close", id })).toEqual({ code: "ok" });
        await taker.close();

        const said = puppet.child.lines.slice(from);
        const acked = said
          .filter((line) => line.startsWith("ack"))
          .map((line) => ({ seq: Number(line.split(" ")[1]), id: line.split(" ")[2] }) as ProgressEvent);
        const outcomes = said.flatMap((line) =>
          line.startsWith("ack") ? ["ok"] : line.startsWith("refused") ? [line.slice("refused ".length)] : [],
        );
        const stored = eventsOnDisk(path, id);
        expect(outcomes).toContain("FENCED");
        expect(
          check_G6(
            [
              { acked, outcomes },
              { acked: own, outcomes: [] },
            ],
            stored,
          ),
        ).toEqual([]);
        expect(check_G2(stored)).toEqual([]);
        acknowledged += acked.length;
      }
      console.log(`L04: ${rounds} rounds, ${acknowledged} acknowledged to who was displaced`);
      expect(acknowledged).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  it("[K4] a holder that was displaced before its first command is fenced at that command", async () => {
    const path = tempFolder();
    const displaced = open(path, "upgrade-123");
    const taker = open(path, "upgrade-123", true);
    const own = [taker.startUpgrade(), taker.setCurrentPhase("Nodes")];
    expect(codeOf(() => displaced.startUpgrade())).toBe("FENCED");
    expect(codeOf(() => displaced.startUpgrade())).toBe("FENCED");
    await displaced.close();
    own.push(taker.completeUpgrade());
    await taker.close();
    expect(check_G1(own, eventsOnDisk(path, "upgrade-123"))).toEqual([]);
  });

  it("[K4] [U3] a displaced holder cannot set the log aside for a next run", async () => {
    const path = tempFolder();
    const displaced = open(path, "upgrade-123");
    displaced.startUpgrade();
    displaced.completeUpgrade();
    const taker = open(path, "upgrade-123", true);
    const raised = taker.raiseInsight({ id: "quota", level: "info", message: "seen afterwards" });
    expect(codeOf(() => displaced.startUpgrade())).toBe("FENCED");
    expect(eventsOnDisk(path, "upgrade-123@1")).toEqual([]);
    expect(check_G1([raised], eventsOnDisk(path, "upgrade-123"))).toEqual([]);
    await displaced.close();
    await taker.close();
  });
});
