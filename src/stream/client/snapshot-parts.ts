/** A state that comes in one message or in parts. */

import type { Task } from "../../model/task.ts";
import { upgradeFromJson, type UpgradeJson, type UpgradeProgress } from "../../model/upgrade.ts";
import type { SnapshotPart, WholeSnapshot } from "../protocol.ts";
import { broken } from "./feed.ts";

/** What has come of a state. */
export interface SnapshotParts {
  readonly cursor: string;
  readonly parts: number;
  /** Parts that are here. */
  readonly part: number;
  readonly head: Omit<UpgradeJson, "tasks">;
  readonly tasks: readonly (readonly Task[])[];
}

/** `before` and the next message, which is the first one when there is nothing before. @throws STREAM_BROKEN when it is not. */
export function withPart(before: SnapshotParts | undefined, message: WholeSnapshot | SnapshotPart): SnapshotParts {
  const { part, parts, upgrade, tasks } = { part: 1, parts: 1, tasks: undefined, ...message };
  if (part === 1 && upgrade !== undefined && upgrade.cursor === message.cursor) {
    const { tasks: first, ...head } = upgrade;
    return { cursor: message.cursor, parts, part, head, tasks: [first] };
  }
  const isNext = before !== undefined && part === before.part + 1 && parts === before.parts;
  if (!isNext || tasks === undefined || message.cursor !== before.cursor) {
    throw broken(`part ${part} of ${parts} of a state came after part ${before?.part ?? 0}`);
  }
  return { ...before, part, tasks: [...before.tasks, tasks] };
}

/** The state, once all parts are here. @throws STREAM_BROKEN before that. */
export function wholeState({ part, parts, head, tasks }: SnapshotParts): UpgradeProgress {
  if (part !== parts) throw broken(`a state ended after part ${part} of ${parts}`);
  return upgradeFromJson({ ...head, tasks: tasks.flat() });
}
