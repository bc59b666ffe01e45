/** One WebSocket client: what it asks for is checked here, and answered; what it is subscribed to sends by itself. */

import type { Duplex } from "node:stream";

import type { WebSocket } from "ws";

import { isMilepostError, MilepostError, type ErrorCode } from "../errors.ts";
import { FleetSubscriber, filterOf, type Summaries } from "../stream/fleet-subscriber.ts";
import type { Hub } from "../stream/hub.ts";
import type { LiveLog } from "../stream/live-log.ts";
import {
  closeCode,
  errorMessage,
  parseChannel,
  parseClientMessage,
  PROTOCOL_VERSION,
  upgradeChannel,
  type Authenticate,
  type ClientMessage,
  type ErrorMessage,
  type GetSummary,
  type ServerMessage,
  type Subscribe,
} from "../stream/protocol.ts";
import type { SubscriberContext } from "../stream/subscriber.ts";
import { report } from "../tracker/logger.ts";
import { summaryAt } from "../view/upgrade/summary.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import { may, type Grant } from "./auth/grant.ts";
import { authorise } from "./auth/refusal.ts";
import type { Admission } from "./access.ts";
import { UpgradeSubscription, type SubscriptionOwner } from "./upgrade-subscription.ts";
import { WebSocketLink, type LinkContext } from "./websocket-link.ts";
import type { Arrival, Connection } from "./websockets.ts";

/** What all connections of a server share. */
export interface ConnectionOptions {
  readonly hub: Hub;
  /** Undefined where there are no channels of summaries. */
  readonly summaries?: Summaries | undefined;
  readonly auth: Authenticator;
  readonly link: LinkContext;
  readonly subscriber: SubscriberContext;
  /** How long a client without credentials may stay where they are needed. */
  readonly authTimeoutMs: number;
  /** False when the client sends too much. */
  readonly mayMessage: (connection: WebSocketConnection) => boolean;
  /** What a client that asks for nothing is subscribed to. */
  readonly defaultChannel: () => string;
  readonly serverName: string;
}

const MAX_CHANNELS = 128;
/** So many refused messages in a row end a connection. */
const MAX_MISTAKES = 20;

/** What sends on a channel until it is stopped. */
interface Subscription {
  readonly channel: string;
  /** Of the upgrade that it shows, if it shows one. */
  readonly clusterName?: string | undefined;
  stop(): void;
}

export class WebSocketConnection implements Connection, SubscriptionOwner {
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #link: WebSocketLink;
  /** Copied when it changes: nearly always it holds one. */
  #subscriptions: readonly Subscription[] = [];
  readonly #openedAt: number;
  #grant: Grant | undefined;
  #admission: Admission | undefined;
  /** What it asked for, as long as it has not said who it is. */
  #arrival: Arrival | undefined;
  #mistakes = 0;

  constructor(socket: WebSocket, raw: Duplex, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#link = new WebSocketLink(raw, options.link, this);
    this.#openedAt = Math.round(options.hub.clock.monotonic());
  }

  /** Says welcome, and subscribes the client to what it asked for, or to what is there. */
  async begin(arrival: Arrival): Promise<void> {
    const { auth } = this.#options;
    this.#admission = arrival.admission;
    this.#grant = arrival.admission.grant ?? auth.anonymous;
    if (this.#grant === undefined) this.#arrival = arrival;
    const channel = await this.#firstChannel(arrival);
    this.send(this.#welcome(channel === undefined ? [] : [channel]));
    this.#subscribeFirst(channel, arrival);
  }

  send(message: ServerMessage): void {
    this.#link.write(this.#link.encoding.message(message), 1);
  }

  receive(data: Buffer, isBinary: boolean): void {
    this.#link.heard();
    if (!this.#link.isOpen) return;
    if (!this.#options.mayMessage(this)) {
      this.#options.hub.counters.limited += 1;
      return this.close("RATE_LIMITED");
    }
    let requestId: string | undefined;
    try {
      if (isBinary) throw new MilepostError("INVALID_ARGUMENT", "a message must be text; this one is binary");
      const message = parseClientMessage(data.toString("utf8"));
      requestId = message.requestId;
      this.#handle(message);
      this.#mistakes = 0;
    } catch (error) {
      this.#refuse(error, requestId === undefined ? {} : { requestId });
      this.#mistakes += 1;
      if (this.#mistakes >= MAX_MISTAKES) this.close("TOO_MANY_MISTAKES");
    }
    this.#readOnlyWhoReads();
  }

  /** Answers are written whether the link can take them or not; so a peer that does not take them is asked for nothing more. */
  #readOnlyWhoReads(): void {
    if (this.#socket.isPaused || !this.#link.isFull) return;
    this.#socket.pause();
    void this.#link.emptied().then(() => this.#socket.resume());
  }

  pong(data: Buffer): void {
    this.#link.pong(data.toString("latin1"));
  }

  /** Looks at the time. Called a few times a second. */
  tick(now: number): void {
    const { auth, authTimeoutMs } = this.#options;
    if (this.#grant === undefined && now - this.#openedAt > authTimeoutMs) return this.close("UNAUTHENTICATED");
    if (this.#grant !== undefined && !auth.isCurrent(this.#grant)) return this.close("TOKEN_EXPIRED");
    this.#link.tick(now);
  }

  /** Ends the connection for the reason of an error; the peer is told with its close code. */
  close(code: ErrorCode): void {
    if (!this.#link.isOpen) return;
    this.ended();
    this.#socket.close(closeCode(code) ?? 1011, code);
  }

  /** The connection is gone, or going. */
  ended(): void {
    this.#link.close();
    for (const subscription of this.#subscriptions) subscription.stop();
    this.#subscriptions = [];
  }

  #handle(message: ClientMessage): void {
    if (message.type === "authenticate") return void this.#authenticate(message);
    if (this.#grant === undefined) authorise(undefined, "watch", { kind: "fleet" });
    const about = message.requestId === undefined ? {} : { requestId: message.requestId };
    switch (message.type) {
      case "ping":
        return this.send({ type: "pong", ...about });
      case "get_summary":
        return void this.#answerSummary(message).catch((error: unknown) => this.#refuse(error, about));
      case "unsubscribe":
        this.#drop(message.channel);
        return this.send({ type: "unsubscribed", channel: message.channel, ...about });
      case "subscribe":
        return this.#subscribe(message);
    }
  }

  #subscribe(message: Subscribe): void {
    const channel = parseChannel(message.channel);
    this.#drop(message.channel);
    if (this.#subscriptions.length >= MAX_CHANNELS) {
      throw new MilepostError("LIMIT_REACHED", `a connection may have ${MAX_CHANNELS} channels; unsubscribe from one`);
    }
    if (channel.kind === "upgrade") return this.#followUpgrade(channel.upgradeId, message);
    const { summaries } = this.#options;
    if (summaries === undefined) throw new MilepostError("NOT_FOUND", `this server has no channel ${message.channel}`);
    authorise(this.#grant, "watch", channel);
    const filter = filterOf(channel);
    const subscriber = new FleetSubscriber(this.#link, { channel: message.channel, summaries, filter });
    this.#subscriptions = [...this.#subscriptions, subscriber];
    subscriber.begin(summaries.list(filter), message.requestId);
  }

  #followUpgrade(upgradeId: string, message: Subscribe): void {
    const subscription = new UpgradeSubscription(message.channel, this);
    this.#subscriptions = [...this.#subscriptions, subscription];
    void subscription.begin(upgradeId, message, { link: this.#link, context: this.#options.subscriber });
  }

  subscriptionFailed(subscription: UpgradeSubscription, error: unknown, requestId?: string): void {
    const { channel } = subscription;
    this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription);
    this.#refuse(error, { channel, ...(requestId !== undefined && { requestId }) });
    if (isMilepostError(error, "STREAM_BROKEN") || !isMilepostError(error)) this.close("STREAM_BROKEN");
  }

  #drop(channel: string): void {
    const kept = this.#subscriptions.filter((subscription) => subscription.channel !== channel);
    for (const subscription of this.#subscriptions) if (!kept.includes(subscription)) subscription.stop();
    this.#subscriptions = kept;
  }

  async openLog(upgradeId: string): Promise<LiveLog> {
    const log = await this.#options.hub.open(upgradeId).catch((error: unknown) => {
      if (isMilepostError(error, "UNKNOWN_UPGRADE"))
        authorise(this.#grant, "watch", { kind: "upgrade", upgradeId, clusterName: undefined });
      throw error;
    });
    try {
      const { clusterName } = log.state;
      authorise(this.#grant, "watch", { kind: "upgrade", upgradeId: log.state.upgradeId, clusterName });
      return log;
    } catch (error) {
      log.release();
      throw error;
    }
  }

  async #answerSummary({ channel = this.#onlyUpgradeChannel(), requestId }: GetSummary): Promise<void> {
    const parsed = parseChannel(channel);
    if (parsed.kind !== "upgrade")
      throw new MilepostError("INVALID_ARGUMENT", 'a summary is of one upgrade: name it by "channel":"upgrade:<id>"');
    const log = await this.openLog(parsed.upgradeId);
    const summary = summaryAt(log.state, { asOfMs: this.#options.hub.clock.now(), hasWriter: log.hasWriter });
    log.release();
    this.send({ type: "summary", summary, ...(requestId !== undefined && { requestId }) });
  }

  #channels(): readonly string[] {
    return this.#subscriptions.map(({ channel }) => channel);
  }

  #onlyUpgradeChannel(): string {
    const channels = this.#channels().filter((channel) => channel.startsWith(upgradeChannel("")));
    return channels.length === 1 ? (channels[0] as string) : "fleet";
  }

  async #authenticate({ token, requestId }: Authenticate): Promise<void> {
    const about = requestId === undefined ? {} : { requestId };
    try {
      const grant = await (this.#admission as Admission).authenticate(token);
      const arrival = this.#arrival;
      this.#arrival = undefined;
      this.#grant = grant;
      this.#dropForbidden(grant);
      const channel = arrival && (await this.#firstChannel(arrival));
      const channels = channel === undefined ? this.#channels() : [channel];
      const expiresAt = grant.expiresAtMs === null ? null : new Date(grant.expiresAtMs).toISOString();
      this.send({ type: "authenticated", subject: grant.subject, expiresAt, channels, ...about });
      if (arrival !== undefined) this.#subscribeFirst(channel, arrival);
    } catch (error) {
      this.#refuse(error, about);
      if (this.#grant === undefined || isMilepostError(error, "RATE_LIMITED")) this.close(codeOf(error));
    }
  }

  /** New credentials may allow less. */
  #dropForbidden(grant: Grant): void {
    for (const { channel, clusterName } of this.#subscriptions) {
      const target = parseChannel(channel);
      if (may(grant, "watch", target.kind === "upgrade" ? { ...target, clusterName } : target)) continue;
      this.#drop(channel);
      this.#refuse(new MilepostError("FORBIDDEN", "the new credentials do not allow this channel"), { channel });
    }
  }

  /** What the server subscribes the client to; what is wrong with it is the client's to know, and ends nothing. */
  #subscribeFirst(channel: string | undefined, { after, level }: Arrival): void {
    if (channel === undefined) return;
    try {
      this.#subscribe({ type: "subscribe", channel, ...(after !== undefined && { after }), ...(level && { level }) });
    } catch (error) {
      this.#refuse(error, { channel });
    }
  }

  /** What the client is subscribed to by the server; undefined when it may see none of it. */
  async #firstChannel({ channel }: Arrival): Promise<string | undefined> {
    if (this.#grant === undefined) return undefined;
    if (channel !== undefined) return channel;
    const found = this.#options.defaultChannel();
    try {
      const parsed = parseChannel(found);
      if (parsed.kind === "upgrade") (await this.openLog(parsed.upgradeId)).release();
      else authorise(this.#grant, "watch", parsed);
      return found;
    } catch {
      return undefined;
    }
  }

  #welcome(channels: readonly string[]): ServerMessage {
    const { serverName: server, link } = this.#options;
    const { pingIntervalMs } = link.times;
    return { type: "welcome", protocol: PROTOCOL_VERSION, server, pingIntervalMs, channels };
  }

  #refuse(error: unknown, about: Pick<ErrorMessage, "channel" | "requestId">): void {
    if (!isMilepostError(error)) report(this.#options.hub.logger, "error", "a WebSocket message", error);
    this.send(errorMessage(error, about));
  }
}

function codeOf(error: unknown): ErrorCode {
  return isMilepostError(error) && closeCode(error.code) !== undefined ? error.code : "UNAUTHENTICATED";
}
