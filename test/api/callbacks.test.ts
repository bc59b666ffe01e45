import { CallbackManager, memory, ProgressTracker, type Logger, type ProgressEvent } from "milepost";
import { describe, expect, it, onTestFinished, vi } from "vitest";

const make = () => {
  const lines: string[] = [];
  const log = (text: string) => void lines.push(text);
  const logger: Logger = { info: log, warn: log, error: log };
  const tracker = new ProgressTracker({ upgradeId: "u", planId: "p", clusterName: "c", storage: memory(), logger });
  onTestFinished(() => tracker.close());
  tracker.startUpgrade();
  tracker.addTask("t", "Task", undefined, { totalSteps: 1_000_000 });
  tracker.startTask("t");
  const seen: number[] = [];
  const watch = () => tracker.addEventCallback(({ seq }) => seen.push(seq));
  const update = (completedSteps: number) => tracker.updateTaskProgress("t", { completedSteps });
  return { tracker, seen, watch, update, lines };
};
const isInOrder = (seqs: readonly number[]) =>
  seqs.every((seq, index) => index === 0 || seq === (seqs[index - 1] as number) + 1);

const broke = (): never => {
  throw new Error("callback broke");
};
const throwing = (thrown: unknown) => (): never => {
  throw thrown as Error;
};

describe("callbacks of a tracker (M08)", () => {
  it.each([
    ["throws an Error", broke],
    ["throws nothing at all", throwing(undefined)],
    ["throws what cannot be shown", throwing(Object.create(null))],
    ["throws what throws when it is shown", throwing(Object.defineProperty({}, "message", { get: broke }))],
    ["rejects", () => Promise.reject(new Error("callback broke"))],
    ["returns what throws when it is awaited", () => ({ then: broke })],
    ["returns what throws when it is looked at", () => Object.defineProperty({}, "then", { get: broke })],
  ] as const)("[C2] one that %s hurts neither the command nor the others, and is counted", async (_name, callback) => {
    const { tracker, seen, watch, update } = make();
    tracker.addEventCallback(callback);
    watch();
    const events = [1, 2, 3].map(update);
    expect(seen).toEqual(events.map(({ seq }) => seq));
    await vi.waitFor(() => expect(tracker.callbacks.getTroubles().failed).toBe(3));
    expect(tracker.progress.tasks.get("t")?.completedSteps).toBe(3);
  });

  it("[C2] one that never settles is counted, and nobody waits for it", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { tracker, seen, watch, update, lines } = make();
    tracker.addEventCallback(() => new Promise(() => undefined));
    watch();
    update(1);
    expect(seen).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tracker.callbacks.getTroubles().unsettled).toBe(1);
    expect(lines.join()).toMatch(/has not settled/);
  });

  it("[C2] slow ones are counted and named: first with those beside them, from then on each by itself", () => {
    let nowMs = 0;
    const lines: string[] = [];
    const logger: Logger = { info: vi.fn(), warn: (text) => void lines.push(text), error: vi.fn() };
    const callbacks = new CallbackManager({ logger, monotonic: () => nowMs, slowCallbackMs: 100 });
    let tookMs = 100;
    callbacks.addEventCallback(function quick() {
      nowMs += 1;
    });
    const event = {} as ProgressEvent;
    callbacks.addEventCallback(function slow() {
      nowMs += tookMs - 1;
    });
    callbacks.notifyEvent(event);
    expect(lines).toEqual([]);
    tookMs = 152;
    for (let round = 0; round < 2; round++) callbacks.notifyEvent(event);
    expect(lines).toEqual([
      "callbacks quick, slow together took 152 ms; commands wait for callbacks",
      "callback slow took 151 ms; commands wait for callbacks",
    ]);
    expect(callbacks.getTroubles()).toEqual({ failed: 0, slow: 2, unsettled: 0 });
  });

  it("[C2] one that another removes while an event is told is not told of it, however they are timed", () => {
    let nowMs = 0;
    const callbacks = new CallbackManager({ monotonic: () => nowMs, slowCallbackMs: 100 });
    for (const tookMs of [0, 1_000, 0]) {
      const told: string[] = [];
      const remove = [
        callbacks.addEventCallback(() => {
          told.push("first");
          nowMs += tookMs;
          remove[1]?.();
        }),
        callbacks.addEventCallback(() => told.push("removed")),
        callbacks.addEventCallback(() => told.push("last")),
      ];
      callbacks.notifyEvent({} as ProgressEvent);
      expect(told).toEqual(["first", "last"]);
      callbacks.clearAllCallbacks();
    }
    expect(callbacks.getTroubles().slow).toBe(1);
  });

  it("[C2] one without a readable name is called like any other", () => {
    const { tracker, update } = make();
    const seen: number[] = [];
    const callback = Object.defineProperty((event: ProgressEvent) => seen.push(event.seq), "name", {
      get: () => {
        throw new Error("no name");
      },
    });
    tracker.addEventCallback(callback);
    tracker.addEventCallback(
      Object.defineProperty(
        () => {
          throw new Error("broke");
        },
        "name",
        {
          get: () => {
            throw new Error("no name");
          },
        },
      ),
    );
    update(1);
    expect(seen).toHaveLength(1);
    expect(tracker.callbacks.getTroubles().failed).toBe(1);
  });

  it("[C3] commands inside a callback get later seqs, and everybody sees them after the present one", () => {
    const { tracker, seen, watch, update } = make();
    let inner: ProgressEvent | undefined;
    tracker.addEventCallback((event) => {
      if (event.type === "task.progressed" && event.completedSteps === 1) {
        inner = update(2);
        // Appended at once, and told later.
        expect(tracker.progress.seq).toBe(inner.seq);
        expect(seen).not.toContain(event.seq);
      }
    });
    watch();
    const outer = update(1);
    expect(inner?.seq).toBe(outer.seq + 1);
    expect(seen).toEqual([outer.seq, outer.seq + 1]);
  });

  it("[C3] 10,000 commands, each from the callback of the one before, overflow no stack", () => {
    const { tracker, seen, watch, update } = make();
    watch();
    tracker.addEventCallback((event) => {
      if (event.type === "task.progressed" && (event.completedSteps ?? 0) < 10_000)
        update((event.completedSteps ?? 0) + 1);
    });
    update(1);
    expect(seen).toHaveLength(10_000);
    expect(isInOrder(seen)).toBe(true);
    expect(tracker.progress.tasks.get("t")?.completedSteps).toBe(10_000);
    expect(tracker.callbacks.getTroubles()).toEqual({ failed: 0, slow: expect.any(Number), unsettled: 0 });
  });

  it("[C3] a refused command inside a callback is that callback's own trouble", () => {
    const { tracker, seen, watch, update } = make();
    tracker.addEventCallback((event) => void (event.type === "task.progressed" && tracker.completeTask("zzz")));
    watch();
    expect(update(1).type).toBe("task.progressed");
    expect(seen).toHaveLength(1);
    expect(tracker.callbacks.getTroubles().failed).toBe(1);
  });

  it("[C4] one may remove itself while callbacks are told", () => {
    const { tracker, update } = make();
    const told: string[] = [];
    const removeSelf = tracker.addEventCallback(() => {
      told.push("self");
      removeSelf();
    });
    tracker.addEventCallback(() => told.push("last"));
    update(1);
    expect(told).toEqual(["self", "last"]);
    update(2);
    expect(told).toEqual(["self", "last", "last"]);
  });

  it("[C4] one may add 10,000 more while callbacks are told, which hear of the next event", () => {
    const { tracker, update } = make();
    let added = 0;
    let isFirst = true;
    tracker.addEventCallback(() => {
      if (!isFirst) return;
      isFirst = false;
      for (let n = 0; n < 10_000; n++) tracker.addEventCallback(() => void (added += 1));
    });
    update(1);
    expect(added).toBe(0);
    update(2);
    expect(added).toBe(10_000);
    tracker.callbacks.clearAllCallbacks();
    update(3);
    expect([added, tracker.callbacks.getCallbackCounts().eventCallbacks]).toEqual([10_000, 0]);
  });

  it("[C4] the same function added twice is called twice, and removed once by each removal", () => {
    const { tracker, update } = make();
    let calls = 0;
    const callback = () => (calls += 1);
    const remove = tracker.addEventCallback(callback);
    tracker.addEventCallback(callback);
    update(1);
    remove();
    remove();
    update(2);
    expect(calls).toBe(3);
    expect([tracker.callbacks.removeEventCallback(callback), tracker.callbacks.removeEventCallback(callback)]).toEqual([
      true,
      false,
    ]);
  });

  it.each([undefined, null, "log", {}, 5])("[C4] %s is no callback and is refused", (callback) => {
    const { tracker } = make();
    const code = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    expect(() => tracker.addEventCallback(callback as never)).toThrow(code);
    expect(() => tracker.addStatusCallback("completed", callback as never)).toThrow(code);
    expect(tracker.callbacks.getCallbackCounts()).toEqual({ eventCallbacks: 0, statusCallbacks: {} });
  });

  it("[C4] a status that does not exist is refused", () => {
    const { tracker } = make();
    expect(() => tracker.addStatusCallback("COMPLETED" as never, () => undefined)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("[C5] a status callback is called once per change, by whatever command, and never for a report alone", () => {
    const { tracker, update } = make();
    const changes: string[] = [];
    for (const status of [
      "not_started",
      "in_progress",
      "paused",
      "failed",
      "completed",
      "skipped",
      "cancelled",
    ] as const) {
      tracker.addStatusCallback(status, ({ taskId, status: now }) => changes.push(`${taskId} ${now}`));
    }
    update(1);
    tracker.heartbeat("t");
    tracker.pauseTask("t");
    tracker.resumeTask("t");
    tracker.failTask("t", new Error("broke"));
    tracker.retryTask("t");
    tracker.completeTask("t");
    tracker.completeTask("t");
    tracker.addTask("u", "Other");
    tracker.updateTaskProgress("u", 5);
    tracker.cancelTask("u");
    tracker.addTask("v", "Third");
    tracker.skipTask("v");
    expect(changes).toEqual([
      ...["t paused", "t in_progress", "t failed", "t in_progress", "t completed"],
      ...["u in_progress", "u cancelled", "v skipped"],
    ]);
  });
});
