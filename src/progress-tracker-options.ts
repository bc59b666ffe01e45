/** What a `ProgressTracker` is made from. */

import { checkOptions } from "./check-options.ts";
import type { HealthThresholds } from "./model/health.ts";
import { isFinalUpgradeStatus, type TaskType } from "./model/vocabulary.ts";
import { openStorage } from "./open-storage.ts";
import type { Delivery } from "./notify/delivery.ts";
import { EventBridgeNotifier } from "./notify/eventbridge.ts";
import type { Notifier } from "./notify/notifier.ts";
import type { Rule } from "./notify/rules.ts";
import type { ServerInfo, WebSocketServer } from "./server/websocket-server.ts";
import type { Storage } from "./storage/storage.ts";
import { CallbackManager, type CallbackCounts } from "./tracker/callback-manager.ts";
import { systemClock, type Clock } from "./tracker/clock.ts";
import { report, silentLogger, type Logger } from "./tracker/logger.ts";
import { openTracker, type OpenedTracker } from "./tracker/open.ts";
import type { ProgressStorage, StorageInfo } from "./tracker/progress-storage.ts";
import { runAwaiting, runNow } from "./tracker/steps.ts";
import type { TaskOptions } from "./tracker/task-run.ts";

export interface ProgressTrackerOptions {
  readonly upgradeId: string;
  readonly planId: string;
  readonly clusterName: string;
  /** Folder of the default storage; `./data` when absent. */
  readonly storagePath?: string;
  /** Another storage: an object, or a URL such as `jsonl:./data` or `memory:`. */
  readonly storage?: Storage | string;
  readonly eventbridgeBusName?: string;
  readonly awsRegion?: string;
  /** Told of the events that the rules select, beside EventBridge when a bus is named. Each has a name of its own. */
  readonly notifiers?: readonly Notifier[];
  /** Which events are told, to whom and when. Default: beginnings, ends, failures and what is wrong, to all. */
  readonly rules?: readonly Rule[];
  /** How long `close` lets notifiers be told what is left; the rest is told by whoever opens the upgrade next. Default 10,000. */
  readonly drainTimeoutMs?: number;
  /** Serve this upgrade over WebSocket once `startWebsocketServer` is called. Default false. */
  readonly enableWebsocket?: boolean;
  /** Default 8765; 0 takes any free port. */
  readonly websocketPort?: number;
  /** Displace a live writer of this upgrade instead of refusing with LOCKED. */
  readonly takeOver?: boolean;
  /** Unflushed events reach stable storage within this time, as long as the event loop turns. Default 50. */
  readonly syncIntervalMs?: number;
  /** Events that may wait in memory while the storage takes no writes. Default 10,000. */
  readonly maxQueuedEvents?: number;
  /** A snapshot is taken after so many events, and at the end. Default 20,000. */
  readonly snapshotEvery?: number;
  readonly healthThresholds?: Partial<HealthThresholds>;
  readonly clock?: Clock;
  readonly createId?: () => string;
  readonly logger?: Logger;
  /** What others read of who writes. Default `milepost`. */
  readonly program?: string;
}

/** What `getSystemInfo` tells. */
export interface SystemInfo {
  readonly upgradeId: string;
  readonly planId: string;
  readonly clusterName: string;
  readonly storage: StorageInfo;
  readonly eventbridge: { readonly enabled: boolean; readonly busName: string | null };
  readonly websocket: ServerInfo;
  readonly callbacks: CallbackCounts;
}

/** A task for `addTasks`. */
export interface NewTask extends TaskOptions {
  readonly taskId: string;
  readonly taskName: string;
  readonly taskType?: TaskType;
}

interface Prepared {
  readonly storage: Storage;
  readonly callbacks: CallbackManager;
  readonly open: Parameters<typeof openTracker>[0];
}

/** The parts of an opened tracker. */
export type OpenedParts = Omit<Prepared, "open"> & { readonly opened: OpenedTracker };

function prepare(options: ProgressTrackerOptions): Prepared {
  checkOptions(options);
  const { logger = silentLogger, clock = systemClock } = options;
  const storage = openStorage(options);
  const callbacks = new CallbackManager({ logger, monotonic: () => clock.monotonic() });
  return { storage, callbacks, open: { ...options, storage, callbacks } };
}

/** Opens in a storage that answers at once. */
export function openNow(options: ProgressTrackerOptions): OpenedParts {
  const prepared = prepare(options);
  return { ...prepared, opened: runNow(openTracker(prepared.open)) };
}

/** Opens in any storage. */
export async function openAwaiting(options: ProgressTrackerOptions): Promise<OpenedParts> {
  const prepared = prepare(options);
  return { ...prepared, opened: await runAwaiting(openTracker(prepared.open)) };
}

/** The notifier that every tracker has; without a bus it tells nothing. */
export function eventBridgeOf({ eventbridgeBusName, awsRegion, logger }: ProgressTrackerOptions): EventBridgeNotifier {
  return new EventBridgeNotifier({ busName: eventbridgeBusName, awsRegion, ...(logger && { logger }) });
}

/** Tells the notifiers from the next turn of the event loop on. Costs nothing, imports included, when there are none. */
export function tellNotifiers(
  options: ProgressTrackerOptions,
  parts: OpenedParts,
  eventBridge: EventBridgeNotifier,
): { close(): Promise<void> } {
  const { notifiers = [], drainTimeoutMs = 10_000, logger = silentLogger } = options;
  const all = eventBridge.isEnabled() ? [...notifiers, eventBridge] : notifiers;
  if (all.length === 0) return { close: async () => undefined };
  const { state } = parts.opened.tracker;
  const fromRun = isFinalUpgradeStatus(state.status) ? state.run + 1 : state.run;
  const starting = startDeliveries(options, parts, { all, fromRun }).catch((error: unknown) => {
    report(logger, "error", "no notifier is told", error);
    return [];
  });
  return {
    close: async () => {
      // Without credentials nothing is told in that time either.
      const canTell = (name: string): boolean => name !== eventBridge.name || eventBridge.isEnabled();
      const drain = (name: string): { drainTimeoutMs: number } => ({
        drainTimeoutMs: canTell(name) ? drainTimeoutMs : 0,
      });
      await Promise.all((await starting).map((delivery) => delivery.close(drain(delivery.status.notifier))));
      for (const notifier of all) {
        await notifier.close().catch((error: unknown) => report(logger, "warn", `close of ${notifier.name}`, error));
      }
    },
  };
}

async function startDeliveries(
  { upgradeId, rules, clock = systemClock, logger = silentLogger }: ProgressTrackerOptions,
  { storage, opened: { tracker } }: OpenedParts,
  { all, fromRun }: { readonly all: readonly Notifier[]; readonly fromRun: number },
): Promise<readonly Delivery[]> {
  const [{ Delivery, deliveryClock, NotifierCheck }, { DEFAULT_RULES, rulesRouter }] = await Promise.all([
    import("./notify/delivery.ts"),
    import("./notify/rules.ts"),
  ]);
  const watch = (onChange: () => void): (() => void) => tracker.onEvent(onChange);
  return all.map((notifier) => {
    const router = rulesRouter(rules ?? DEFAULT_RULES, notifier.name);
    const own = { clock: deliveryClock(clock), logger };
    const check = new NotifierCheck({ notifier, random: Math.random, ...own });
    const delivery = new Delivery({ notifier, storage, upgradeId, router, check, watch, fromRun, ...own });
    delivery.start();
    return delivery;
  });
}

/** The parts of a tracker that `getSystemInfo` asks. */
interface Components {
  readonly upgradeId: string;
  readonly planId: string;
  readonly clusterName: string;
  readonly storage: ProgressStorage;
  readonly notifier: EventBridgeNotifier;
  readonly websocket: WebSocketServer;
  readonly callbacks: CallbackManager;
}

/** What all components of a tracker say of themselves. */
export function systemInfo(components: Components): SystemInfo {
  const { upgradeId, planId, clusterName, storage, notifier, websocket, callbacks } = components;
  return {
    upgradeId,
    planId,
    clusterName,
    storage: storage.getStorageInfo(),
    eventbridge: { enabled: notifier.isEnabled(), busName: notifier.busName ?? null },
    websocket: websocket.getServerInfo(),
    callbacks: callbacks.getCallbackCounts(),
  };
}
