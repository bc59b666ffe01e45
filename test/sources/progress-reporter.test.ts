import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkCommand } from "../../src/model/command.ts";
import { decide } from "../../src/model/decide.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { evolve } from "../../src/model/evolve.ts";
import type { Task } from "../../src/model/task.ts";
import { emptyUpgrade } from "../../src/model/upgrade.ts";
import type { Observation } from "../../src/sources/observation.ts";
import { ProgressReporter } from "../../src/sources/progress-reporter.ts";
import type { CommandInput } from "../../src/sources/stages.ts";

/** A reporter whose commands are decided and folded by the real model, which refuses what is wrong. */
function reporting() {
  let state = emptyUpgrade({ upgradeId: "u", planId: "p", clusterName: "c" });
  let ms = 0;
  const events: ProgressEvent[] = [];
  const reporter = new ProgressReporter({ taskId: "command", now: () => ms });

  const execute = (commands: readonly CommandInput[]): void => {
    for (const command of commands) {
      const time = new Date(ms).toISOString();
      const decision = decide(state, checkCommand(command), { time, logMs: ms });
      if ("repeats" in decision) continue;
      for (const draft of decision.drafts) {
        const seq = state.seq + 1;
        const event = {
          seq,
          cursor: String(seq),
          ms,
          id: String(seq),
          time,
          upgradeId: "u",
          ...draft,
        } as ProgressEvent;
        events.push(event);
        state = evolve(state, event);
      }
    }
  };
  execute([
    { type: "startUpgrade" },
    { type: "addTask", taskId: "command", taskName: "tool" },
    { type: "startTask", taskId: "command" },
  ]);
  return {
    events,
    observe: (...observations: readonly Observation[]) =>
      observations.forEach((observation) => execute(reporter.observe(observation))),
    activity: (text: string) => execute(reporter.activity(text)),
    wait(forMs: number) {
      ms += forMs;
      execute(reporter.due());
    },
    end(how: "completed" | "failed" | "cancelled" = "completed") {
      execute(reporter.end({ how, error: "exit code 3" }));
      if (how === "completed") execute([{ type: "completeTask", taskId: "command" }, { type: "completeUpgrade" }]);
      else if (how === "failed")
        execute([
          { type: "failTask", taskId: "command", errorMessage: "exit code 3" },
          { type: "failUpgrade", errorMessage: "exit code 3" },
        ]);
      else execute([{ type: "cancelTask", taskId: "command" }, { type: "cancelUpgrade" }]);
    },
    task: (id = "command"): Task => state.tasks.get(id) as Task,
    tasks: (): string[] =>
      [...state.tasks.values()].map(
        ({ taskId, taskName, status, percentage }) => `${taskId} ${taskName} ${status} ${percentage}`,
      ),
    state: () => state,
  };
}

const stage = (number: number, of: number, message = `part ${number}`, series = ""): Observation => ({
  stage: { series, number, of },
  message,
});
const progressed = (events: readonly ProgressEvent[]) => events.filter(({ type }) => type === "task.progressed");

describe("the reporter", () => {
  it("[P5] leaves what is not told unknown", () => {
    const run = reporting();
    run.activity("⠸");
    run.activity("fetching");
    run.wait(1000);
    run.activity("⠼");
    run.wait(1000);
    run.observe({});
    expect(run.task()).toMatchObject({ isMeasured: false, percentage: 0, message: "fetching" });
  });

  it("reports at most four times a second, and the last report always lands", () => {
    const run = reporting();
    for (let count = 0; count < 1000; count++) {
      run.observe({ percentage: count / 10, message: `at ${count}` });
      run.wait(1);
    }
    run.wait(250);
    expect(progressed(run.events).length).toBeLessThanOrEqual(5);
    expect(run.task()).toMatchObject({ percentage: 99.9, message: "at 999" });
  });

  it("reports the last one also when the command ends at once", () => {
    const run = reporting();
    run.observe({ percentage: 10 }, { percentage: 20 }, { percentage: 30 });
    run.end("failed");
    expect(run.task()).toMatchObject({ status: "failed", percentage: 30 });
  });

  it("appends nothing for what was told already", () => {
    const run = reporting();
    for (let count = 0; count < 10; count++) {
      run.observe({ percentage: 10, message: "same" });
      run.wait(1000);
    }
    expect(progressed(run.events)).toHaveLength(1);
  });

  it("tells a bar that begins again as going back", () => {
    const run = reporting();
    run.observe({ percentage: 90 });
    run.wait(300);
    run.observe({ percentage: 5 });
    expect(run.events.at(-1)).toMatchObject({ type: "task.progressed", percentage: 5, regressed: true });
  });

  it("[P5] makes a task of each stage when the first is announced, and walks through them", () => {
    const run = reporting();
    run.observe(stage(1, 3));
    expect(run.tasks()).toEqual([
      "command tool in_progress 0",
      "command/1/1 step 1 of 3 in_progress 0",
      "command/1/2 step 2 of 3 not_started 0",
      "command/1/3 step 3 of 3 not_started 0",
    ]);
    run.observe({ percentage: 50 });
    expect(run.state().overallPercentage).toBe(16.67);
    run.observe(stage(2, 3), stage(3, 3));
    expect(run.task("command/1/1")).toMatchObject({ status: "completed" });
    expect(run.task("command/1/3")).toMatchObject({ status: "in_progress", message: "part 3" });
    run.end();
    expect(run.state()).toMatchObject({ status: "completed", overallPercentage: 100, insights: [] });
  });

  it("tells a stage's last report before it ends", () => {
    const run = reporting();
    run.observe(stage(1, 2), { percentage: 10 }, { percentage: 80, message: "nearly" }, stage(2, 2));
    const about = run.events.filter((event) => "taskId" in event && event.taskId === "command/1/1");
    expect(about.map(({ type }) => type)).toEqual([
      "task.added",
      "task.started",
      "task.progressed",
      "task.progressed",
      "task.completed",
    ]);
    expect(about.at(-2)).toMatchObject({ percentage: 80, message: "nearly" });
  });

  it("does not claim work for stages that were never announced", () => {
    const run = reporting();
    run.observe(stage(3, 4));
    expect(run.task("command/1/1").status).toBe("skipped");
    run.end();
    expect(run.task("command/1/4").status).toBe("skipped");
    expect(run.state()).toMatchObject({ status: "completed", overallPercentage: 100 });
  });

  it("fails the stage that was under way and cancels the ones that were not reached", () => {
    const run = reporting();
    run.observe(stage(1, 3), stage(2, 3));
    run.end("failed");
    expect(run.tasks().map((text) => text.split(" ").at(-2))).toEqual(["failed", "completed", "failed", "cancelled"]);
    expect(run.task("command/1/2").errorMessage).toBe("exit code 3");
  });

  it("passes over a line about a stage that is over", () => {
    const run = reporting();
    run.observe(stage(1, 3), stage(2, 3), stage(1, 3), { percentage: 40 });
    expect(run.task("command/1/2")).toMatchObject({ status: "in_progress", percentage: 40 });
    expect(run.task("command/1/1").status).toBe("completed");
  });

  it("keeps rows of stages with different names apart, also when they take turns", () => {
    const run = reporting();
    run.observe(
      stage(1, 2, "a", "builder"),
      stage(1, 3, "b", "final"),
      stage(2, 2, "c", "builder"),
      stage(2, 3, "d", "final"),
    );
    expect(run.task("command/1/2")).toMatchObject({ taskName: "builder step 2 of 2", status: "in_progress" });
    expect(run.task("command/2/2")).toMatchObject({ taskName: "final step 2 of 3", status: "in_progress" });
  });

  it("begins another row when a finished one is told from its beginning", () => {
    const run = reporting();
    run.observe(stage(1, 2), stage(2, 2), stage(1, 2));
    expect(run.task("command/1/2").status).toBe("completed");
    expect(run.task("command/2/1").status).toBe("in_progress");
  });

  it("makes a row longer when the tool finds more to do", () => {
    const run = reporting();
    run.observe(stage(1, 3), stage(2, 3), stage(3, 5));
    expect(run.tasks()).toHaveLength(6);
    expect(run.task("command/1/3").status).toBe("in_progress");
  });

  it("counts where there are too many stages to list", () => {
    const run = reporting();
    run.observe(stage(1, 5000, "cc a.c"));
    run.wait(300);
    run.observe(stage(2500, 5000, "cc b.c"));
    expect(run.tasks()).toHaveLength(1);
    expect(run.task()).toMatchObject({
      completedSteps: 2499,
      totalSteps: 5000,
      unit: "steps",
      percentage: 49.98,
      message: "cc b.c",
    });
  });

  it("bounds the tasks that it makes", () => {
    const run = reporting();
    for (let row = 0; row < 100; row++) run.observe(stage(1, 20, "x", `row${row}`));
    expect(run.tasks().length).toBeLessThanOrEqual(129);
    run.end();
    expect(run.state().status).toBe("completed");
  });

  it("counts things, and takes no percentage beside a count", () => {
    const run = reporting();
    run.observe({ percentage: 10 });
    run.wait(300);
    run.observe({ completedSteps: 2, totalSteps: 5, unit: "nodes", message: "2/5 nodes" }, { percentage: 90 });
    run.wait(300);
    expect(run.task()).toMatchObject({ completedSteps: 2, totalSteps: 5, unit: "nodes", percentage: 40 });
  });

  it("goes over to counting another thing only when the first is done", () => {
    const run = reporting();
    run.observe({ completedSteps: 2, totalSteps: 5, unit: "nodes" });
    run.wait(300);
    run.observe({ completedSteps: 1, totalSteps: 9, unit: "pods", message: "1/9 pods" });
    run.wait(300);
    expect(run.task()).toMatchObject({ unit: "nodes", completedSteps: 2, message: "1/9 pods" });
    run.observe({ completedSteps: 5, totalSteps: 5, unit: "nodes" });
    run.wait(300);
    run.observe({ completedSteps: 3, totalSteps: 9, unit: "pods" });
    run.wait(300);
    expect(run.task()).toMatchObject({ unit: "pods", completedSteps: 3, totalSteps: 9 });
  });

  it("says what the tool waits for, until it goes on", () => {
    const run = reporting();
    run.observe({ ...stage(1, 2), waitingOn: { kind: "answer", name: "/etc/x" } });
    expect(run.task("command/1/1").waitingOn).toMatchObject({ kind: "answer", name: "/etc/x" });
    run.observe({ ...stage(1, 2), percentage: 50 });
    expect(run.task("command/1/1").waitingOn).toBeNull();
  });

  it("raises what the tool says is wrong, and clears it when the tool does", () => {
    const run = reporting();
    run.observe({ problem: null });
    run.observe({ percentage: 5, problem: { level: "warning", message: "paused" } });
    expect(run.state().insights).toMatchObject([{ id: "command.reported", level: "warning", message: "paused" }]);
    run.observe({ percentage: 6, problem: null });
    expect(run.state().insights).toEqual([]);
  });

  it("tells printed lines as what the command is doing, once a second, behind anything better", () => {
    const run = reporting();
    for (let count = 0; count < 100; count++) {
      run.activity(`line ${count}`);
      run.wait(50);
    }
    expect(progressed(run.events).length).toBeLessThanOrEqual(6);
    run.observe({ percentage: 7, message: "seven" });
    run.activity("chatter");
    run.wait(250);
    expect(run.task()).toMatchObject({ percentage: 7, message: "seven" });
  });

  it("never gives a command that the model refuses, and leaves no open task behind a completed command", () => {
    const observation: fc.Arbitrary<Observation> = fc.oneof(
      fc.record({ percentage: fc.integer({ min: 0, max: 100 }) }),
      fc
        .tuple(
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 2, max: 6 }),
          fc.constantFrom("", "a"),
          fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
        )
        .filter(([number, of]) => number <= of)
        .map(([number, of, series, percentage]) => ({
          stage: { series, number, of },
          ...(percentage !== undefined && { percentage }),
        })),
      fc
        .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 2, max: 9 }), fc.constantFrom("nodes", "pods"))
        .filter(([completed, total]) => completed <= total)
        .map(([completedSteps, totalSteps, unit]) => ({ completedSteps, totalSteps, unit })),
      fc.constant({ message: "words" }),
      fc.constant({ stage: { series: "", number: 40, of: 90 } }),
      fc.constant({ waitingOn: { kind: "answer", name: "x" } }),
      fc.constantFrom({ problem: null }, { problem: { level: "error" as const, message: "bad" } }),
    );
    const step = fc.record({ observation, waitMs: fc.constantFrom(0, 0, 100, 300, 1200), line: fc.boolean() });
    const property = fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.constantFrom("completed" as const, "failed" as const, "cancelled" as const),
      (steps, how) => {
        const run = reporting();
        for (const { observation: told, waitMs, line } of steps) {
          run.observe(told);
          if (line) run.activity("line");
          run.wait(waitMs);
        }
        run.end(how);
        expect(run.state().status).toBe(how);
        const open = [...run.state().tasks.values()].filter(
          ({ status }) => status === "not_started" || status === "in_progress",
        );
        expect(open).toEqual([]);
        if (how === "completed") expect(run.events.at(-1)).not.toHaveProperty("unfinishedTaskIds");
      },
    );
    fc.assert(property, { numRuns: 400 });
  });
});
