import { setTimeout as sleep } from "node:timers/promises";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { isMilepostError } from "../../src/errors.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import type { LogHolder } from "../../src/storage/storage.ts";
import { sendCommands } from "../../src/tracker/hand-over.ts";
import { readUpgrade } from "../../src/tracker/read.ts";
import { check_G1, check_G2, check_G9 } from "../faults/checks.ts";
import { killNow } from "../faults/child.ts";
import { startPuppet } from "../faults/puppeteer.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { tempFolder } from "../temp-folder.ts";

const ID = "upgrade-123";
const SET_UP = [{ type: "startUpgrade" }, { type: "addTask", taskId: "task-1", taskName: "Nodes" }];

const open = (path: string, takeOver = false) =>
  new ProgressTracker({ upgradeId: ID, planId: "plan-456", clusterName: "my-cluster", storagePath: path, takeOver });

/** The holder with its socket, once it listens. */
async function listening(path: string): Promise<LogHolder> {
  for (const until = Date.now() + 10_000; Date.now() < until; await sleep(5)) {
    const holder = await jsonLines({ path }).holder(ID);
    if (holder?.socket !== undefined) return holder;
  }
  throw new Error("nobody listens");
}

describe("handing a command over", () => {
  it("[K5] [P6] two shells report into an upgrade that an agent holds", async () => {
    const path = tempFolder();
    const agent = open(path);
    agent.startUpgrade();
    await listening(path);
    const [first, second] = [startPuppet(path), startPuppet(path)];
    const answers = await Promise.all([
      first.tell({ do: "send", id: ID, commands: [{ type: "addTask", taskId: "a", taskName: "A" }] }),
      second.tell({ do: "send", id: ID, commands: [{ type: "addTask", taskId: "b", taskName: "B" }] }),
    ]);
    expect(answers.map(({ code }) => code)).toEqual(["ok", "ok"]);
    expect([...agent.progress.tasks.keys()].sort()).toEqual(["a", "b"]);
    const refused = await first.tell({ do: "send", id: ID, commands: [{ type: "completeTask", taskId: "a" }] });
    expect(refused.code).toBe("ILLEGAL_TRANSITION");
    await agent.close();
    expect(check_G2(eventsOnDisk(path, ID))).toEqual([]);
  });

  it("[K5] a holder that does not answer in time is named by LOCKED", async () => {
    const path = tempFolder();
    const holder = startPuppet(path);
    await holder.tell({ do: "open", id: ID });
    await holder.tell({ do: "execute", id: ID, commands: SET_UP });
    await listening(path);
    const blocked = holder.tell({ do: "block", ms: 1_500 });
    await holder.child.until("blocking");
    const command = { type: "setCurrentPhase", phase: "Nodes" };
    const error = await sendCommands(jsonLines({ path }), ID, [command], { timeoutMs: 300 }).catch((e: unknown) => e);
    expect(isMilepostError(error, "LOCKED")).toBe(true);
    expect((await blocked).code).toBe("ok");
    // What it was asked meanwhile it does when it can; asking again is a repeat.
    const [event] = await sendCommands(jsonLines({ path }), ID, [command]);
    expect(event?.type).toBe("upgrade.phase_changed");
    await holder.tell({ do: "close", id: ID });
    const changes = eventsOnDisk(path, ID).filter(({ type }) => type === "upgrade.phase_changed");
    expect(changes).toHaveLength(1);
  });

  it("[K5] [K2] when the holder dies in the middle the command goes on without it", async () => {
    const path = tempFolder();
    const holder = startPuppet(path);
    await holder.tell({ do: "open", id: ID });
    await holder.tell({ do: "execute", id: ID, commands: SET_UP });
    await listening(path);
    void holder.tell({ do: "block", ms: 10_000 });
    await holder.child.until("blocking");
    const sent = sendCommands(jsonLines({ path }), ID, [{ type: "startTask", taskId: "task-1" }], { timeoutMs: 8_000 });
    await sleep(100);
    await killNow(holder.child);
    const [event] = await sent;
    expect(event?.type).toBe("task.started");
    const stored = eventsOnDisk(path, ID);
    expect(stored.filter(({ type }) => type === "task.started")).toHaveLength(1);
    expect(check_G2(stored)).toEqual([]);
  });

  it("[K5] fifty commands of five processes at once all happen, and none happens twice", async () => {
    const path = tempFolder();
    const agent = open(path);
    agent.startUpgrade();
    await listening(path);
    const puppets = Array.from({ length: 5 }, () => startPuppet(path));
    const answers = await Promise.all(
      puppets.flatMap((puppet, who) =>
        Array.from({ length: 10 }, (_, index) => {
          const taskId = `task-${who}-${index}`;
          const commands = [
            { type: "addTask", taskId, taskName: taskId },
            { type: "startTask", taskId },
            { type: "completeTask", taskId },
          ];
          return puppet.tell({ do: "send", id: ID, commands, timeoutMs: 15_000 });
        }),
      ),
    );
    expect(answers.map(({ code }) => code)).toEqual(Array(50).fill("ok"));
    await agent.close();
    const stored = eventsOnDisk(path, ID);
    const acked = answers.flatMap(({ events = [] }) => events) as unknown as typeof stored;
    expect(acked).toHaveLength(150);
    expect(check_G1(acked, stored)).toEqual([]);
    expect(stored.filter(({ type }) => type === "task.completed")).toHaveLength(50);
  });

  it("[K5] nobody's answer is lost when the holder closes meanwhile", async () => {
    const path = tempFolder();
    const agent = open(path);
    agent.startUpgrade();
    agent.addTask("task-1", "Nodes");
    await listening(path);
    const sent = Array.from({ length: 10 }, (_, index) =>
      sendCommands(jsonLines({ path }), ID, [{ type: "appendLog", taskId: "task-1", text: `line ${index}\n` }]),
    );
    await sleep(2);
    await agent.close();
    await Promise.all(sent);
    const lines = eventsOnDisk(path, ID).filter(({ type }) => type === "log.appended");
    expect(lines).toHaveLength(10);
  });

  it("[L11] [P6] one of many verbs on a long log keeps a snapshot, so that the next ones need not read it whole", async () => {
    const path = tempFolder();
    const storage = jsonLines({ path });
    const snapshotSeq = async (): Promise<number> => {
      const reader = await storage.openReader(ID);
      const snapshot = await reader?.snapshot();
      reader?.close();
      return snapshot?.seq ?? 0;
    };
    const logs = (count: number) =>
      Array.from({ length: count }, (_, line) => ({ type: "appendLog", taskId: "task-1", text: `${line}\n` }));
    await sendCommands(storage, ID, [...SET_UP, ...logs(4_900)]);
    expect(await snapshotSeq()).toBe(0);
    const [event] = await sendCommands(storage, ID, logs(100));
    const kept = await snapshotSeq();
    expect(kept).toBeGreaterThanOrEqual(event?.seq ?? Infinity);
    // And not again with each verb.
    await sendCommands(storage, ID, logs(1));
    expect(await snapshotSeq()).toBe(kept);
    expect(check_G2(eventsOnDisk(path, ID))).toEqual([]);
    const { state } = await readUpgrade(storage, ID);
    expect(check_G9(state, eventsOnDisk(path, ID))).toEqual([]);
  });

  it("[K4] [K5] a displaced holder that closes leaves its successor's socket and name alone", async () => {
    const path = tempFolder();
    const displaced = open(path);
    displaced.startUpgrade();
    await listening(path);
    const taker = open(path, true);
    taker.setCurrentPhase("Nodes");
    await sleep(0);
    await displaced.close();
    const { socket = "" } = await listening(path);
    expect(existsSync(socket)).toBe(true);
    const events = await sendCommands(jsonLines({ path }), ID, [{ type: "setCurrentPhase", phase: "Finish" }]);
    expect(events).toHaveLength(1);
    expect(taker.progress.currentPhase).toBe("Finish");
    await taker.close();
  });
});
