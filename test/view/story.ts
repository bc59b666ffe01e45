/** Makes states and events for tests by the real `checkCommand`, `decide` and `evolve`: what was asked, at which second. */

import { checkCommand } from "../../src/model/command.ts";
import { decide } from "../../src/model/decide.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { evolve } from "../../src/model/evolve.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../src/model/upgrade.ts";

/** The wall time of second 0. */
const START_MS = Date.UTC(2026, 10, 23, 12, 0, 0);

/** Wall time (epoch ms) of a second of the story. */
export const at = (second: number): number => START_MS + second * 1000;

export interface Story {
  readonly state: UpgradeProgress;
  readonly events: readonly ProgressEvent[];
}

export type Step = readonly [second: number, ...commands: readonly object[]];

export const IDS = { upgradeId: "upgrade-123", planId: "plan-456", clusterName: "my-cluster" } as const;

/** The story that these commands make. */
export function story(steps: readonly Step[], ids = IDS): Story {
  let state = emptyUpgrade(ids, { cursor: "start" });
  const events: ProgressEvent[] = [];
  const append = (draft: object, second: number) => {
    const seq = state.seq + 1;
    const time = new Date(at(second)).toISOString();
    const event = {
      seq,
      cursor: `c${seq}`,
      ms: second * 1000,
      id: `event-${seq}`,
      time,
      upgradeId: ids.upgradeId,
      ...draft,
    } as ProgressEvent;
    events.push(event);
    state = evolve(state, event);
  };
  const writer = { program: "test", pid: 1, host: "here" };
  append(
    {
      type: "writer.opened",
      logId: "log",
      term: "term",
      after: 0,
      run: 1,
      planId: ids.planId,
      clusterName: ids.clusterName,
      writer,
    },
    0,
  );
  for (const [second, ...commands] of steps) {
    for (const command of commands) {
      const decision = decide(state, checkCommand(command), {
        time: new Date(at(second)).toISOString(),
        logMs: second * 1000,
      });
      if ("drafts" in decision) for (const draft of decision.drafts) append(draft, second);
    }
  }
  return { state, events };
}

export const start = (phase = "Preparation") => ({ type: "startUpgrade", phase });
export const add = (taskId: string, more: object = {}) => ({ type: "addTask", taskId, taskName: taskId, ...more });
export const begin = (taskId: string, message?: string) => ({
  type: "startTask",
  taskId,
  ...(message !== undefined && { message }),
});
export const finish = (taskId: string) => ({ type: "completeTask", taskId });
export const fail = (taskId: string, errorMessage: string) => ({ type: "failTask", taskId, errorMessage });
export const report = (taskId: string, more: object) => ({ type: "updateTaskProgress", taskId, ...more });
export const wait = (taskId: string, waitingOn: object) => ({ type: "setWaitingOn", taskId, waitingOn });
export const raise = (insight: object) => ({ type: "raiseInsight", insight });
