/**
 * A log's events over plain HTTP, as `text/event-stream` (HTML, 9.2).
 *
 * A fresh stream begins with `event: snapshot`; then each event is unnamed, with its cursor as id, so that a browser comes back
 * with `Last-Event-ID`. What is no event of the log is a named one: `snapshot`, `subscribed`, `skipped`, `summary`, `error`.
 */

import type { ServerResponse } from "node:http";

import { MilepostError } from "../errors.ts";
import type { StreamCounters } from "../stream/counters.ts";
import { sseEncoding, type Encoding } from "../stream/encoding.ts";
import { WINDOW_BYTES, type Link } from "../stream/link.ts";
import type { LiveLog } from "../stream/live-log.ts";
import { errorMessage, upgradeChannel, type Level } from "../stream/protocol.ts";
import { Subscriber, type SubscriberContext } from "../stream/subscriber.ts";
import { report, type Logger } from "../tracker/logger.ts";
import type { Pulse, Ticking } from "./pulse.ts";
import type { LinkContext } from "./websocket-link.ts";

const COMMENT_AFTER_MS = 20_000;
/** When to come back after the server has stopped: at a random moment up to this, so that not all come at once. */
const RETRY_WITHIN_MS = 10_000;

/** A response as a link. Nobody acknowledges here: what Node has not handed to the system is what is known to be unread. */
class SseLink implements Link, Ticking {
  readonly #response: ServerResponse;
  readonly #counters: StreamCounters;
  readonly #stallTimeoutMs: number;
  readonly #isAllowed: () => boolean;
  #waiting: (() => void)[] = [];
  #writtenAt: number;
  /** Since when nothing of what waits has gone; undefined while nothing waits. */
  #stalledSince: number | undefined;
  #waitingBytes = 0;
  #now: number;

  /** @param isAllowed - false once the reader's credentials have ended. */
  constructor(response: ServerResponse, { counters, times, clock }: LinkContext, isAllowed: () => boolean) {
    this.#response = response;
    this.#isAllowed = isAllowed;
    this.#counters = counters;
    this.#stallTimeoutMs = times.stallTimeoutMs;
    this.#writtenAt = this.#now = clock.monotonic();
    response.on("drain", () => this.#release());
    response.on("close", () => this.#release());
  }

  get encoding(): Encoding {
    return sseEncoding;
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  get canTake(): boolean {
    return this.isOpen && this.#response.writableLength < WINDOW_BYTES;
  }

  write(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    this.#writtenAt = this.#now;
    this.#response.write(bytes);
  }

  ready(): Promise<void> {
    if (!this.isOpen || this.canTake) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Shows a sign of life, or gives a reader up that takes nothing. */
  tick(now: number): void {
    this.#now = now;
    if (!this.isOpen) return;
    if (!this.#isAllowed()) {
      this.write(sseEncoding.message(errorMessage(EXPIRED)));
      this.#response.end();
      return;
    }
    const waitingBytes = this.#response.writableLength;
    if (waitingBytes === 0 || waitingBytes < this.#waitingBytes) this.#stalledSince = undefined;
    else this.#stalledSince ??= now;
    this.#waitingBytes = waitingBytes;
    if (this.#stalledSince !== undefined && now - this.#stalledSince > this.#stallTimeoutMs) {
      this.#counters.cutSlow += 1;
      this.#response.destroy();
    } else if (waitingBytes === 0 && now - this.#writtenAt >= COMMENT_AFTER_MS) this.write(COMMENT);
  }

  #release(): void {
    if (this.isOpen && !this.canTake) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const EXPIRED = new MilepostError("TOKEN_EXPIRED", "these credentials have ended; come back with new ones");
const COMMENT = Buffer.from(": still here\n\n");

export interface SseOptions {
  readonly pulse: Pulse;
  readonly link: LinkContext;
  readonly subscriber: SubscriberContext;
  readonly logger: Logger;
}

export interface SseRequest {
  /** Held for this stream, and released at its end. */
  readonly log: LiveLog;
  readonly response: ServerResponse;
  readonly after?: string | undefined;
  readonly level?: Level | undefined;
  /** Headers that every answer of the server has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked a few times a second; the stream ends when it says no. */
  readonly isAllowed?: () => boolean;
}

const always = (): boolean => true;

/** The open streams of a server. */
export class SseStreams {
  readonly #options: SseOptions;
  readonly #open = new Set<{ readonly response: ServerResponse; readonly subscriber: Subscriber }>();

  constructor(options: SseOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Streams until the client goes, or the server closes. Never rejects. */
  async serve({ log, response, after, level, headers = {}, isAllowed = always }: SseRequest): Promise<void> {
    const { pulse, link: context, logger } = this.#options;
    response.writeHead(200, {
      ...headers,
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      // nginx would collect events before passing them on.
      "X-Accel-Buffering": "no",
    });
    response.flushHeaders();
    const link = new SseLink(response, context, isAllowed);
    const subscriber = new Subscriber({ log, link, context: this.#options.subscriber, level });
    const stream = { response, subscriber };
    this.#open.add(stream);
    pulse.add(link);
    response.on("close", () => subscriber.stop());
    try {
      await subscriber.run(after);
    } catch (error) {
      report(logger, "error", "an event stream", error);
      link.write(sseEncoding.message(errorMessage(error, { channel: upgradeChannel(log.ref) })));
    } finally {
      response.end();
      pulse.delete(link);
      this.#open.delete(stream);
      log.release();
    }
  }

  /** Ends all streams, telling each reader when to come back. */
  close(): void {
    for (const { response, subscriber } of this.#open) {
      response.write(`retry: ${Math.ceil(Math.random() * RETRY_WITHIN_MS)}\n\n`);
      subscriber.stop();
    }
  }
}
