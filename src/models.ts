/** `milepost/common/models/progress`: the words and shapes of the model. */

export { ProgressStatus, TaskType, type HealthState, type InsightLevel } from "./model/vocabulary.ts";
export type { Attempt, Task } from "./model/task.ts";
export type { Health, PhaseStay, UpgradeProgress } from "./model/upgrade.ts";
export type {
  EventOf,
  EventType,
  HealthReason,
  Insight,
  ProgressEvent,
  TaskDefinition,
  WaitingOn,
  WriterIdentity,
} from "./model/event.ts";
export type { Command, CommandType, InsightInput, ProgressReport, WaitingOnInput } from "./model/command.ts";
export type { JsonObject, JsonValue } from "./model/json.ts";
export type { TaskMap } from "./model/task-map.ts";
