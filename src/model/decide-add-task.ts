/** What happens because of `addTask`. Part of `decide`. */

import { MilepostError, shown } from "../errors.ts";
import { UPGRADE_LIMITS, type Decision } from "./decision.ts";
import type { TaskDefinition } from "./event.ts";
import { canonicalJson } from "./json.ts";
import { refuseAfterEnd } from "./refuse-after-end.ts";
import type { Task } from "./task.ts";
import type { UpgradeProgress } from "./upgrade.ts";
import { isFinalTaskStatus } from "./vocabulary.ts";

export function addTask(state: UpgradeProgress, command: TaskDefinition & { readonly type: "addTask" }): Decision {
  const { type: _type, ...definition } = command;
  const existing = state.tasks.get(definition.taskId);
  if (existing !== undefined) {
    const difference = differingField(existing, definition);
    if (difference === undefined) return { repeats: existing.addedSeq };
    throw new MilepostError(
      "TASK_EXISTS",
      `task ${shown(definition.taskId)} exists with another ${difference}; use another id, or the same definition`,
      {
        context: { taskId: definition.taskId, field: difference },
      },
    );
  }
  refuseAfterEnd(state, "addTask", definition.taskId);
  if (state.tasks.size >= UPGRADE_LIMITS.maxTasks) {
    throw new MilepostError(
      "LIMIT_REACHED",
      `upgrade ${shown(state.upgradeId)} has ${state.tasks.size} tasks, the most there can be; report steps within a task`,
    );
  }
  checkParent(state, definition);
  return {
    drafts: [
      { type: "task.added", ...definition, status: "not_started", message: `Task added: ${definition.taskName}` },
    ],
  };
}

function checkParent(state: UpgradeProgress, { taskId, parentTaskId }: TaskDefinition): void {
  if (parentTaskId === null) return;
  const parent = state.tasks.get(parentTaskId);
  if (parent === undefined) {
    throw new MilepostError(
      "UNKNOWN_TASK",
      `addTask: the parent ${shown(parentTaskId)} of task ${shown(taskId)} is not there; add it first`,
    );
  }
  if (isFinalTaskStatus(parent.status)) {
    throw new MilepostError(
      "ILLEGAL_TRANSITION",
      `addTask: the parent ${shown(parentTaskId)} of task ${shown(taskId)} is ${parent.status}; add tasks below an open one`,
    );
  }
  if (state.tasks.ancestors(parentTaskId).length + 2 > UPGRADE_LIMITS.maxDepth) {
    throw new MilepostError(
      "LIMIT_REACHED",
      `addTask: task ${shown(taskId)} would be nested deeper than ${UPGRADE_LIMITS.maxDepth}; flatten the tree`,
    );
  }
}

/** Steps and unit are left out: reports may change them, so they do not tell two definitions apart. */
const DEFINING = ["taskName", "taskType", "parentTaskId", "weight", "expectedMs", "details"] as const;

function differingField(task: Task, definition: TaskDefinition): string | undefined {
  return DEFINING.find((field) => canonicalJson(task[field]) !== canonicalJson(definition[field]));
}
