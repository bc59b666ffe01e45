/** The public API of `milepost`, also under `milepost/common` and `milepost/common/progress`. */

export { ProgressTracker } from "./progress-tracker.ts";
export type { NewTask, ProgressTrackerOptions, SystemInfo } from "./progress-tracker-options.ts";
export {
  CallbackManager,
  type CallbackCounts,
  type CallbackManagerOptions,
  type CallbackTroubles,
  type EventCallback,
  type StatusCallback,
} from "./tracker/callback-manager.ts";
export { ProgressStorage, type ProgressStorageOptions, type StorageInfo } from "./tracker/progress-storage.ts";
export { WebSocketServer, type ServerInfo, type WebSocketServerOptions } from "./server/websocket-server.ts";
export type { Batch, Notifier, Outcome } from "./notify/notifier.ts";
export type { Hours, Rule } from "./notify/rules.ts";
export { EventBridgeNotifier, type EventBridgeNotifierOptions } from "./notify/eventbridge.ts";
export type { AwsClient } from "./aws/connection.ts";
export { ERROR_MEANINGS } from "./error-meanings.ts";
export { ERRORS, isMilepostError, MilepostError, type ErrorCode, type ErrorContext, type ErrorRow } from "./errors.ts";

export { ProgressStatus, TaskType, type HealthState, type InsightLevel } from "./model/vocabulary.ts";
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
export type { Attempt, Task } from "./model/task.ts";
export type { Health, PhaseStay, UpgradeProgress } from "./model/upgrade.ts";
export type { TaskMap } from "./model/task-map.ts";
export type { Command, CommandType, InsightInput, ProgressReport, WaitingOnInput } from "./model/command.ts";
export type { HealthThresholds } from "./model/health.ts";
export type { JsonObject, JsonValue } from "./model/json.ts";
export { evolve } from "./model/evolve.ts";
export { emptyUpgrade, upgradeFromJson, type UpgradeJson } from "./model/upgrade.ts";
export { canonicalJson } from "./model/json.ts";

export { jsonLines, type JsonLinesOptions } from "./storage/json-lines.ts";
export { memory } from "./storage/memory.ts";
export type { Storage } from "./storage/storage.ts";
export { readEvents, readUpgrade, watchUpgrade, type ReadOptions, type StoredUpgrade } from "./tracker/read.ts";
export { sendCommands, type SendOptions } from "./tracker/hand-over.ts";
export type { Clock } from "./tracker/clock.ts";
export type { Logger } from "./tracker/logger.ts";
export type { EventsOptions } from "./tracker/events.ts";
export type { ProgressSummary } from "./model/summary.ts";
export type { TaskReport } from "./tracker/reports.ts";
export type { RunOptions, TaskHandle, TaskOptions } from "./tracker/task-run.ts";
