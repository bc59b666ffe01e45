/** What happened: the events of a log, one shape on disk and on the wire. */

import type { JsonObject } from "./json.ts";
import type { HealthState, InsightLevel, ProgressStatus, TaskType } from "./vocabulary.ts";

/** What a task waits for; `since` is wall time (ISO 8601). */
export interface WaitingOn {
  readonly kind: string;
  readonly name: string;
  readonly since: string;
  readonly message?: string;
  readonly remedy?: string;
}

/** A finding about the upgrade: raised, updated, cleared by whoever knows. `since` is wall time (ISO 8601). */
export interface Insight {
  readonly id: string;
  readonly level: InsightLevel;
  readonly impact: string | null;
  readonly message: string;
  readonly remedy: string | null;
  readonly reference: string | null;
  readonly resources: readonly string[];
  readonly since: string;
}

/** Why the health is what it is. `taskId` names the task it comes from, where there is one. */
export interface HealthReason {
  readonly code: string;
  readonly message: string;
  readonly taskId?: string;
}

/** Who holds the pen during a term. */
export interface WriterIdentity {
  readonly program: string;
  readonly pid: number;
  readonly host: string;
}

/** What `addTask` fixes about a task. */
export interface TaskDefinition {
  readonly taskId: string;
  readonly taskName: string;
  readonly taskType: TaskType;
  readonly parentTaskId: string | null;
  readonly weight: number;
  readonly totalSteps: number | null;
  readonly unit: string | null;
  readonly expectedMs: number | null;
  readonly details: JsonObject | null;
}

/** Where a task stands; carried whole by every event that reports it, so that no earlier report is needed to read it. */
export interface Position {
  readonly percentage: number;
  readonly completedSteps?: number;
  readonly totalSteps?: number;
  readonly unit?: string;
}

/** The fields that every event has. */
interface EventEnvelope {
  /** Number in the log: 1, 2, 3 … */
  readonly seq: number;
  /** The place right after this event, opaque: (log, term, seq). */
  readonly cursor: string;
  /** Milliseconds since the term began, monotonic. */
  readonly ms: number;
  /** UUID version 7. */
  readonly id: string;
  /** Wall time, ISO 8601; a label, never an order. */
  readonly time: string;
  readonly upgradeId: string;
  /** Which of these an event has depends on its type. */
  readonly taskId?: string;
  readonly message?: string;
  readonly status?: ProgressStatus;
  readonly percentage?: number;
  readonly details?: JsonObject | null;
  /** Of a request that must not take effect twice: hashes of its key and its body, and which of its commands this was. */
  readonly request?: string;
}

interface UpgradeStatusBody {
  readonly status: ProgressStatus;
  readonly message?: string;
}

interface TaskStatusBody extends Position {
  readonly taskId: string;
  readonly status: ProgressStatus;
  readonly attempt: number;
  readonly message?: string;
  readonly details?: JsonObject;
}

/** Type-specific fields, by event type. */
interface EventBodies {
  "writer.opened": {
    readonly logId: string;
    readonly term: string;
    /** The seq after which the term begins. */
    readonly after: number;
    /** The log time (ms) at which the term begins, so that a reader who was spared events counts from the same moment. */
    readonly logMs?: number;
    readonly run: number;
    readonly planId: string;
    readonly clusterName: string;
    readonly writer: WriterIdentity;
  };
  "writer.closed": { readonly term: string };
  "upgrade.started": UpgradeStatusBody & { readonly phase: string };
  "upgrade.phase_changed": {
    readonly phase: string;
    readonly previousPhase: string | null;
    readonly message?: string;
    /** True when the upgrade had left this phase before. */
    readonly regressed?: true;
  };
  "upgrade.paused": UpgradeStatusBody;
  "upgrade.resumed": UpgradeStatusBody;
  "upgrade.completed": UpgradeStatusBody & {
    readonly percentage: number;
    readonly unfinishedTaskIds?: readonly string[];
    readonly unfinishedCount?: number;
  };
  "upgrade.failed": UpgradeStatusBody & { readonly errorMessage: string };
  "upgrade.cancelled": UpgradeStatusBody;
  "task.added": TaskDefinition & { readonly status: ProgressStatus; readonly message: string };
  "task.started": TaskStatusBody;
  "task.progressed": TaskStatusBody & {
    /** True when the percentage or the step count went back. */
    readonly regressed?: true;
    /** False when the report tells no percentage: the task works, and how far it is is unknown. */
    readonly isMeasured?: false;
    /** Set when this report did not advance: the log time (ms) of the last one that did. */
    readonly advancedMs?: number;
  };
  "task.completed": TaskStatusBody;
  "task.failed": TaskStatusBody & { readonly errorMessage: string };
  "task.retried": TaskStatusBody;
  "task.paused": TaskStatusBody;
  "task.resumed": TaskStatusBody;
  "task.skipped": TaskStatusBody;
  "task.cancelled": TaskStatusBody;
  "task.waiting": { readonly taskId: string; readonly waitingOn: WaitingOn | null; readonly message?: string };
  "task.heartbeat": { readonly taskId: string };
  "insight.raised": { readonly insight: Insight; readonly message: string };
  "insight.updated": { readonly insight: Insight; readonly message: string };
  "insight.cleared": { readonly insightId: string; readonly message?: string };
  "health.changed": {
    readonly health: HealthState;
    readonly previousHealth: HealthState | null;
    readonly reasons: readonly HealthReason[];
    readonly message: string;
  };
  "log.appended": { readonly taskId: string; readonly text: string };
}

export type EventType = keyof EventBodies;

/** An event before it has its place in the log. */
export type EventDraft = { readonly [T in EventType]: { readonly type: T } & EventBodies[T] }[EventType];

/** An event of one type as it stands in the log. */
export type EventOf<T extends EventType> = T extends EventType
  ? EventEnvelope & { readonly type: T } & EventBodies[T]
  : never;

/** An event as it stands in the log. Readers ignore types they do not know. */
export type ProgressEvent = EventOf<EventType>;
