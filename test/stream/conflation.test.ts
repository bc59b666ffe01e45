import fc from "fast-check";
import { expect, test } from "vitest";

import { evolve } from "../../src/model/evolve.ts";
import { canonicalJson } from "../../src/model/json.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { Conflation } from "../../src/stream/conflation.ts";
import { fold, testLog } from "../model/log.ts";
import { logOf, stepsOf } from "../model/steps.ts";

const isLong = process.env["MILEPOST_LONG"] === "1";

/** What is told of a stretch: as the subscriber does it, its last event always. */
function told(stretch: readonly ProgressEvent[]): ProgressEvent[] {
  const conflation = new Conflation();
  for (const event of stretch) conflation.note(event);
  return stretch.filter((event) => conflation.keeps(event) || event === stretch.at(-1));
}

test("[E5] for any stretch of any history, what is told of it leads to the very state that all of it leads to", () => {
  let [all, kept] = [0, 0];
  fc.assert(
    fc.property(stepsOf(200), fc.nat(), fc.nat(), (steps, a, b) => {
      const { events } = logOf(steps);
      const [from, to] = [a % events.length, b % (events.length + 1)].sort((x, y) => x - y) as [number, number];
      const before = fold(events.slice(0, from));
      const stretch = events.slice(from, to);
      const few = told(stretch);
      all += stretch.length;
      kept += few.length;
      const [expected, found] = [stretch, few].map((part) => canonicalJson(part.reduce(evolve, before)));
      if (expected !== found) throw new Error(`told ${few.map(({ seq }) => seq).join(" ")} of ${from + 1} to ${to}`);
    }),
    { numRuns: isLong ? 20_000 : 300 },
  );
  expect(kept).toBeLessThan(all);
});

test("[W4] of a thousand reports on two tasks two are told, and every change of state in its order", () => {
  const log = testLog();
  log.give({ type: "addTask", taskId: "a", taskName: "A" });
  log.give({ type: "addTask", taskId: "b", taskName: "B" });
  log.give({ type: "startTask", taskId: "a" });
  log.give({ type: "startTask", taskId: "b" });
  for (let n = 1; n <= 1_000; n++) log.give({ type: "updateTaskProgress", taskId: "ab"[n % 2], percentage: n / 20 });
  log.give({ type: "pauseTask", taskId: "a" });
  log.give({ type: "resumeTask", taskId: "a" });
  log.give({ type: "completeTask", taskId: "a" });
  const types = told(log.events.slice(5)).map(({ type, taskId }) => `${type} ${taskId}`);
  expect(types.filter((type) => type.startsWith("task.progressed"))).toHaveLength(2);
  expect(types.slice(2)).toEqual(["task.paused a", "task.resumed a", "task.completed a"]);
});

test("a stretch of one event is that event, also a sign of life that others replace", () => {
  const log = testLog();
  log.give({ type: "addTask", taskId: "a", taskName: "A" });
  log.give({ type: "startTask", taskId: "a" });
  const beat = log.give({ type: "heartbeat", taskId: "a" });
  expect(told([beat])).toEqual([beat]);
  expect(told([])).toEqual([]);
});
