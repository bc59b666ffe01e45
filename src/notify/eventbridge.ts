/** AWS EventBridge: every event that is told becomes one on a bus, with the event's type as its detail type. */

import { AwsConnection, type AwsClient, type AwsService } from "../aws/connection.ts";
import { checkTrouble } from "../aws/outcome.ts";
import { isMilepostError, MilepostError, shown } from "../errors.ts";
import { checkNumber } from "../model/check.ts";
import { copyDetails, type JsonObject } from "../model/json.ts";
import { isInstalled } from "../optional-package.ts";
import { report, silentLogger, type Logger } from "../tracker/logger.ts";
import { entryOf, SCHEMA_VERSION, saidOf, type EntrySettings, type Said } from "./eventbridge/entry.ts";
import { loadSigner } from "./eventbridge/global-endpoint.ts";
import { EventBus, REQUEST_LIMITS, type EventBridgeSdk, type Sendable } from "./eventbridge/put-events.ts";
import { traceHeaderOf } from "./eventbridge/trace-header.ts";
import type { Batch, Notifier, Outcome } from "./notifier.ts";

export interface EventBridgeNotifierOptions {
  /** Name or ARN of the bus. Without it nothing is sent. */
  readonly busName?: string | undefined;
  /** Default us-east-1. */
  readonly awsRegion?: string | undefined;
  /** Default true. False sends nothing, also with a bus. */
  readonly enabled?: boolean;
  /** Default `eventbridge`. Its own among all notifiers. */
  readonly name?: string;
  /** Default `milepost`. AWS keeps names that begin with `aws.` for itself. */
  readonly source?: string;
  /** ARNs that every event is about. Default: the cluster name, where it is an ARN. */
  readonly resources?: readonly string[];
  /** A trace that the events belong to: an X-Ray header, or a W3C `traceparent`, which is made into one. */
  readonly traceHeader?: string;
  /** A global endpoint, `abcde.veo`. Needs the package `@aws-sdk/signature-v4a`. */
  readonly endpointId?: string;
  /** A larger event is cut. Default 240,000: some targets of rules take no more than 256 KB. */
  readonly maxEntryBytes?: number;
  /** An `EventBridgeClient` of yours. Default: one that finds its credentials and its address as the SDK does. */
  readonly client?: AwsClient;
  readonly logger?: Logger;
}

/** A task as the `send…` methods name it. */
type TaskNames = readonly [upgradeId: string, clusterName: string, taskId: string, taskName: string];

const SERVICE: AwsService<EventBridgeSdk> = {
  packageName: "@aws-sdk/client-eventbridge",
  feature: "EventBridge",
  load: () => import("@aws-sdk/client-eventbridge"),
  makeClient: ({ EventBridgeClient }, config) => new EventBridgeClient(config),
};
const MAX_DETAIL_TYPE = 128;
const LEAST_ENTRY_BYTES = 4_096;
const MOST_ENTRY_BYTES = 900_000;

export class EventBridgeNotifier implements Notifier {
  readonly name: string;
  readonly kind = "eventbridge";
  readonly limits = REQUEST_LIMITS;
  readonly busName: string | undefined;
  readonly awsRegion: string;
  readonly #settings: Omit<EntrySettings, "busName">;
  readonly #isSwitchedOn: boolean;
  readonly #endpointId: string | undefined;
  readonly #hasOwnClient: boolean;
  readonly #logger: Logger;
  readonly #connection: AwsConnection<EventBridgeSdk>;
  readonly #bus: EventBus;

  /** @throws INVALID_ARGUMENT naming the option. */
  constructor(options: EventBridgeNotifierOptions = {}) {
    const { busName, awsRegion = "us-east-1", name = "eventbridge", endpointId, client } = options;
    const { enabled = true, logger = silentLogger } = options;
    this.name = name;
    this.busName = busName;
    this.awsRegion = awsRegion;
    this.#settings = checkSettings(options);
    this.#isSwitchedOn = enabled;
    this.#endpointId = endpointId;
    this.#hasOwnClient = client === undefined;
    this.#logger = logger;
    this.#connection = new AwsConnection({ service: SERVICE, region: awsRegion, client, logger });
    this.#bus = new EventBus(this.#connection, endpointId);
    if (enabled && busName !== undefined && !isInstalled(SERVICE.packageName)) {
      const { packageName } = SERVICE;
      report(logger, "warn", `nothing is sent to EventBridge (bus ${busName}): npm install ${packageName}`);
    }
  }

  /**
   * True if it sends: it is switched on, a bus is named, the AWS SDK is installed, and credentials were not found wanting when AWS
   * was last asked. {@link check} asks.
   */
  isEnabled(): boolean {
    const isSetUp = this.#isSwitchedOn && this.busName !== undefined && isInstalled(SERVICE.packageName);
    return isSetUp && !this.#connection.lacksCredentials;
  }

  async notify({ events, state }: Batch, { signal }: { readonly signal: AbortSignal }): Promise<readonly Outcome[]> {
    const said = events.map((event) => ({ id: event.id, said: saidOf(event, state) }));
    return this.#put(said, signal);
  }

  /** @throws NOTIFIER_UNUSABLE without a bus, for one that does not exist, and where AWS cannot be asked; MISSING_PACKAGE. */
  async check({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const Name = this.#checkedBus();
    await this.#loadSigner();
    const { trouble } = await this.#connection.send(
      ({ DescribeEventBusCommand }) => new DescribeEventBusCommand({ Name }),
      signal,
    );
    if (trouble === undefined) return;
    if (trouble.code === "ResourceNotFoundException") {
      throw new MilepostError(
        "NOTIFIER_UNUSABLE",
        `there is no event bus ${shown(Name)} in ${this.awsRegion}, and EventBridge would not say so when it is sent to: create it, or name another`,
        { context: { busName: Name } },
      );
    }
    checkTrouble(trouble, { feature: "EventBridge", action: "events:DescribeEventBus", logger: this.#logger });
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  /**
   * Sends one event of your own, once. Nothing is kept for a later try: events of a tracker are told by its delivery.
   *
   * @throws INVALID_ARGUMENT, INVALID_PAYLOAD for a type or a detail that EventBridge would not take. Trouble is an outcome.
   */
  async sendNotification(eventType: string, detail: JsonObject): Promise<Outcome> {
    if (typeof eventType !== "string" || eventType === "" || eventType.length > MAX_DETAIL_TYPE) {
      const wanted = `text of 1 to ${MAX_DETAIL_TYPE} characters`;
      throw new MilepostError("INVALID_ARGUMENT", `eventType must be ${wanted}, not ${shown(eventType)}`);
    }
    const id = crypto.randomUUID();
    const metadata = { schemaVersion: SCHEMA_VERSION, eventId: id };
    const { clusterName } = detail;
    const said: Said = {
      type: eventType,
      detail: { ...copyDetails(detail), metadata },
      time: new Date().toISOString(),
      clusterName: typeof clusterName === "string" ? clusterName : undefined,
    };
    try {
      const [outcome] = await this.#put([{ id, said }], new AbortController().signal);
      return outcome as Outcome;
    } catch (error) {
      if (!isMilepostError(error)) throw error;
      report(this.#logger, "error", error.message);
      return { status: "refused", code: error.code, message: error.message };
    }
  }

  /** As {@link sendNotification}, type `upgrade.started`. */
  async sendUpgradeStarted(upgradeId: string, clusterName: string, phase: string): Promise<Outcome> {
    return this.sendNotification("upgrade.started", { upgradeId, clusterName, phase });
  }

  /** As {@link sendNotification}, type `upgrade.completed`. */
  async sendUpgradeCompleted(upgradeId: string, clusterName: string, duration: string | null = null): Promise<Outcome> {
    return this.sendNotification("upgrade.completed", { upgradeId, clusterName, duration });
  }

  /** As {@link sendNotification}, type `upgrade.failed`. */
  async sendUpgradeFailed(upgradeId: string, clusterName: string, errorMessage: string): Promise<Outcome> {
    return this.sendNotification("upgrade.failed", { upgradeId, clusterName, errorMessage });
  }

  /** As {@link sendNotification}, type `upgrade.phase_changed`. */
  async sendPhaseChanged(upgradeId: string, clusterName: string, phase: string): Promise<Outcome> {
    return this.sendNotification("upgrade.phase_changed", { upgradeId, clusterName, phase });
  }

  /** As {@link sendNotification}, type `task.started`. */
  async sendTaskStarted(...[upgradeId, clusterName, taskId, taskName]: TaskNames): Promise<Outcome> {
    return this.sendNotification("task.started", { upgradeId, clusterName, taskId, taskName });
  }

  /** As {@link sendNotification}, type `task.completed`. */
  async sendTaskCompleted(...args: readonly [...TaskNames, duration?: string | null]): Promise<Outcome> {
    const [upgradeId, clusterName, taskId, taskName, duration = null] = args;
    return this.sendNotification("task.completed", { upgradeId, clusterName, taskId, taskName, duration });
  }

  /** As {@link sendNotification}, type `task.failed`. */
  async sendTaskFailed(...args: readonly [...TaskNames, errorMessage: string]): Promise<Outcome> {
    const [upgradeId, clusterName, taskId, taskName, errorMessage] = args;
    return this.sendNotification("task.failed", { upgradeId, clusterName, taskId, taskName, errorMessage });
  }

  async #put(
    events: readonly { readonly id: string; readonly said: Said }[],
    signal: AbortSignal,
  ): Promise<readonly Outcome[]> {
    const settings = { ...this.#settings, busName: this.#checkedBus() };
    await this.#loadSigner();
    const entries = events.map(({ id, said }) => ({ id, entry: entryOf(said, settings) }));
    const sendables = entries.filter((one): one is Sendable => one.entry !== undefined);
    const outcomes = [...(await this.#bus.put(sendables, signal))];
    return entries.map(({ entry }) => (entry === undefined ? TOO_LARGE : (outcomes.shift() as Outcome)));
  }

  #checkedBus(): string {
    if (!this.#isSwitchedOn) throw new MilepostError("NOTIFIER_UNUSABLE", "sending to EventBridge is switched off");
    if (this.busName !== undefined) return this.busName;
    throw new MilepostError("NOTIFIER_UNUSABLE", "EventBridge has no bus to send to: set eventbridgeBusName");
  }

  async #loadSigner(): Promise<void> {
    if (this.#endpointId !== undefined && this.#hasOwnClient) await loadSigner();
  }
}

const TOO_LARGE: Outcome = {
  status: "refused",
  code: "DETAIL_TOO_LARGE",
  message: "not even the names in it fit into an entry: raise maxEntryBytes",
};

function checkSettings(options: EventBridgeNotifierOptions): Omit<EntrySettings, "busName"> {
  const { source = "milepost", resources, traceHeader, maxEntryBytes = 240_000 } = options;
  if (typeof source !== "string" || source === "" || source.startsWith("aws.")) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `source must be text that does not begin with "aws.", not ${shown(source)}`,
    );
  }
  if (checkNumber(maxEntryBytes, "maxEntryBytes", MOST_ENTRY_BYTES) < LEAST_ENTRY_BYTES) {
    const wanted = `at least ${LEAST_ENTRY_BYTES}`;
    throw new MilepostError("INVALID_ARGUMENT", `maxEntryBytes must be ${wanted}, not ${shown(maxEntryBytes)}`);
  }
  return {
    source,
    resources,
    maxEntryBytes,
    traceHeader: traceHeader === undefined ? undefined : traceHeaderOf(traceHeader),
  };
}
