import { expect, test } from "vitest";

import type { EventOf } from "../../src/model/event.ts";
import { stamped, type Stamp } from "../../src/tracker/stamp.ts";

const STAMP: Stamp = {
  seq: 7,
  cursor: "log.term.7",
  ms: 12,
  id: "0197-1",
  time: "2026-11-24T03:00:00.000Z",
  upgradeId: "prod",
};

/** Every field that a report can have: a new one must be named here, too, or this does not compile. */
const REPORT: Required<Omit<EventOf<"task.progressed">, keyof Stamp>> = {
  type: "task.progressed",
  taskId: "drain",
  attempt: 2,
  status: "in_progress",
  percentage: 40,
  completedSteps: 4,
  totalSteps: 10,
  unit: "pods",
  message: "Evicting",
  details: { node: "a" },
  regressed: true,
  isMeasured: false,
  advancedMs: 3,
  request: "ab.1",
};

test("a report's event is frozen and has every field of its draft, the stamp's before them", () => {
  const event = stamped(STAMP, REPORT);
  expect(event).toStrictEqual({ ...STAMP, ...REPORT });
  expect(Object.keys(event).slice(0, 7)).toEqual(["seq", "cursor", "ms", "id", "type", "time", "upgradeId"]);
  expect(Object.isFrozen(event)).toBe(true);
});

test("what a draft does not have its event does not have either", () => {
  const { type, taskId, attempt, status, percentage } = REPORT;
  const draft = { type, taskId, attempt, status, percentage };
  expect(stamped(STAMP, draft)).toStrictEqual({ ...STAMP, ...draft });
  const other = { type: "task.heartbeat", taskId } as const;
  expect(stamped(STAMP, other)).toStrictEqual({ ...STAMP, ...other });
});
