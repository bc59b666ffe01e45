import { describe, expect, it } from "vitest";
import type { Command } from "../../src/model/command.ts";
import { decide } from "../../src/model/decide.ts";
import { assessHealth, HEALTH_THRESHOLDS, type Liveness } from "../../src/model/health.ts";
import type { HealthState } from "../../src/model/vocabulary.ts";
import { testLog, type TestLog } from "./log.ts";

const MINUTE = 60_000;
const alive: Liveness = { isWriterAlive: true };

const running = (fields: object = {}): TestLog => {
  const log = testLog();
  for (const command of [
    { type: "startUpgrade" },
    { type: "addTask", taskId: "t", taskName: "Drain", ...fields },
    { type: "startTask", taskId: "t" },
  ])
    log.give(command);
  return log;
};
const health = (log: TestLog, liveness: Liveness = alive, laterMs = 0) => {
  const { state, reasons } = assessHealth(log.state, liveness, log.state.clock.lastMs + laterMs);
  return [state, ...reasons.map(({ code }) => code)].join(" ");
};
const record = (log: TestLog, to: HealthState): readonly object[] => {
  const command: Command = {
    type: "recordHealth",
    health: to,
    reasons: [{ code: "silent", message: "no sign of life", taskId: "t" }],
  };
  const decision = decide(log.state, command, { time: "2026-03-01T09:00:00.000Z", logMs: 0 });
  return "drafts" in decision ? decision.drafts.map((draft) => log.append(draft)) : [];
};

describe("health", () => {
  it("[H1] is progressing while a task gives signs of life and advances", () => {
    expect(health(running())).toBe("progressing");
    expect(health(running(), alive, 5 * MINUTE - 1)).toBe("progressing");
    expect(health(testLog(), alive, 99 * MINUTE)).toBe("progressing");
  });

  it("[H1] is stalled when a running task has given no sign of life for 5 minutes", () => {
    expect(health(running(), alive, 5 * MINUTE)).toBe("stalled silent");
    const parent = running();
    parent.give({ type: "addTask", taskId: "c", taskName: "Child", parentTaskId: "t" });
    expect(health(parent, alive, 50 * MINUTE)).toBe("progressing");
  });

  it("[H1] is slow when a task lives and does not advance for 15 minutes, or takes half as long again as expected", () => {
    const log = running();
    for (let n = 0; n < 5; n++) log.pass(3 * MINUTE).give({ type: "heartbeat", taskId: "t" });
    expect(health(log)).toBe("slow no_advance");
    log.give({ type: "updateTaskProgress", taskId: "t", percentage: 1 });
    expect(health(log)).toBe("progressing");
    const expected = running({ expectedMs: 2 * MINUTE });
    expect(health(expected, alive, 3 * MINUTE)).toBe("progressing");
    expect(health(expected, alive, 3 * MINUTE + 1)).toBe("slow overrun");
  });

  it("[H1] waits for nobody while the upgrade or the task is paused", () => {
    const upgrade = running();
    upgrade.give({ type: "pauseUpgrade" });
    const task = running();
    task.give({ type: "pauseTask", taskId: "t" });
    expect([health(upgrade, alive, 99 * MINUTE), health(task, alive, 99 * MINUTE)]).toEqual([
      "progressing",
      "progressing",
    ]);
  });

  it("[H1] names at most ten reasons, and takes other thresholds", () => {
    const log = running();
    for (let n = 0; n < 20; n++) {
      log.give({ type: "addTask", taskId: `t${n}`, taskName: "Task" });
      log.give({ type: "startTask", taskId: `t${n}` });
    }
    expect(assessHealth(log.state, alive, 5 * MINUTE).reasons).toHaveLength(10);
    expect(assessHealth(log.state, alive, 10, { ...HEALTH_THRESHOLDS, stalledAfterMs: 10 }).state).toBe("stalled");
  });

  it("[H1] never changes a status, and the fold of it changes nothing else", () => {
    const log = running();
    const { health: _h, seq: _s, cursor: _c, clock: _k, ...before } = log.state;
    record(log, "stalled");
    expect(log.state).toMatchObject({
      ...before,
      health: { state: "stalled", reasons: [{ code: "silent", taskId: "t" }] },
    });
  });

  it("[H2] is recorded on change only, with the health before", () => {
    const log = running();
    expect(record(log, "stalled")).toMatchObject([{ type: "health.changed", health: "stalled", previousHealth: null }]);
    expect(record(log, "stalled")).toEqual([]);
    expect(record(log, "progressing")).toMatchObject([{ health: "progressing", previousHealth: "stalled" }]);
  });

  it("[H2] is never recorded on a finished upgrade", () => {
    for (const end of ["completeUpgrade", "failUpgrade", "cancelUpgrade"]) {
      const log = running();
      log.give({ type: end, ...(end === "failUpgrade" && { errorMessage: "broke" }) });
      expect(record(log, "lost")).toEqual([]);
      expect(health(log, { isWriterAlive: false, trouble: "disk full" }, 99 * MINUTE)).toBe("progressing");
    }
  });

  it("[H3] is lost at once when the writer died, and when one that closed the log does not come back", () => {
    const log = running();
    expect(health(log, { isWriterAlive: false })).toBe("lost writer_died");
    log.append({ type: "writer.closed", term: "term1" });
    expect(health(log, { isWriterAlive: false }, 5 * MINUTE - 1)).toBe("progressing");
    expect(health(log, { isWriterAlive: false }, 5 * MINUTE)).toBe("lost writer_gone");
    expect(health(log.open(), alive)).toBe("progressing");
  });

  it("[H3] stays lost once that is recorded, for the same reasons, until a writer opens the log again", () => {
    const log = running();
    log.append({ type: "writer.closed", term: "term1" });
    const stranger = log.open();
    record(stranger, "lost");
    stranger.append({ type: "writer.closed", term: "term2" });
    expect(health(stranger, { isWriterAlive: false })).toBe("lost silent");
    expect(health(stranger, { isWriterAlive: false }, 99 * MINUTE)).toBe("lost silent");
    const back = stranger.open();
    expect(back.state.health).toBeNull();
    back.append({ type: "writer.closed", term: "term3" });
    expect(health(back, { isWriterAlive: false })).toBe("progressing");
    expect(health(back, { isWriterAlive: false }, 5 * MINUTE)).toBe("lost writer_gone");
  });

  it("[H3] is degraded while the storage takes no writes or an error stands, whatever the tasks do", () => {
    const log = running();
    expect(health(log, { isWriterAlive: true, trouble: "disk full" }, 99 * MINUTE)).toBe("degraded storage");
    log.give({ type: "raiseInsight", insight: { id: "i", level: "warning", message: "careful" } });
    expect(health(log)).toBe("progressing");
    log.give({ type: "raiseInsight", insight: { id: "i", level: "error", message: "broken" } });
    expect(health(log)).toBe("degraded insight");
    expect(health(log, { isWriterAlive: false, trouble: "disk full" })).toBe("lost writer_died");
  });
});
