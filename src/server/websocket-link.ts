/**
 * A WebSocket as a link: encoded frames go straight to the socket, and pings tell what has arrived.
 *
 * The system takes megabytes for a peer that reads nothing and says that they are sent. So a ping goes out behind every
 * 256 KiB, behind whatever has been unacknowledged for a second, and after a while of silence; its payload is the number of
 * messages sent on this connection so far, and the pong, which any client answers by itself, repeats it.
 */

import type { Duplex } from "node:stream";

import type { StreamCounters } from "../stream/counters.ts";
import { pingFrame, webSocketEncoding, type Encoding } from "../stream/encoding.ts";
import { WINDOW_BYTES, type Link } from "../stream/link.ts";
import type { Clock } from "../tracker/clock.ts";

/** When a connection is asked, and when it is given up. Milliseconds. */
export interface LinkTimes {
  /** Silence after which the peer is asked whether it is there. */
  readonly pingIntervalMs: number;
  /** How long it may take to answer that. */
  readonly pongTimeoutMs: number;
  /** How long it may take nothing of what was sent. */
  readonly stallTimeoutMs: number;
}

export const LINK_TIMES: LinkTimes = { pingIntervalMs: 25_000, pongTimeoutMs: 8_000, stallTimeoutMs: 30_000 };

const PING_EVERY_BYTES = 256 * 1024;
const PING_AFTER_MS = 1_000;

/** What all links of a server share. */
export interface LinkContext {
  readonly times: LinkTimes;
  readonly counters: StreamCounters;
  readonly clock: Clock;
}

/** Whoever has the connection. */
export interface LinkOwner {
  /** Gives the connection up, for the reason of an error. */
  close(code: "TOO_SLOW"): void;
}

/** What was asked for and has not been answered. */
interface SentPing {
  readonly text: string;
  readonly sentBytes: number;
  readonly at: number;
}

export class WebSocketLink implements Link {
  readonly #socket: Duplex;
  readonly #context: LinkContext;
  readonly #owner: LinkOwner;
  #isOpen = true;
  #sentBytes = 0;
  #sentMessages = 0;
  #pingedBytes = 0;
  #ackedBytes = 0;
  /** Oldest first; undefined while there are none. */
  #pings: SentPing[] | undefined;
  /** When a ping last went out, or the peer was last heard. */
  #askedAt: number;
  #heardAt: number;
  #ackedAt = 0;
  #waiting: (() => void)[] | undefined;

  constructor(socket: Duplex, context: LinkContext, owner: LinkOwner) {
    this.#socket = socket;
    this.#context = context;
    this.#owner = owner;
    // Whole numbers take no memory of their own, and there are many links.
    this.#askedAt = this.#heardAt = Math.round(context.clock.monotonic());
  }

  get encoding(): Encoding {
    return webSocketEncoding;
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#socket.writable;
  }

  get canTake(): boolean {
    return (
      this.isOpen &&
      this.#sentBytes - this.#ackedBytes < WINDOW_BYTES &&
      // Whoever answers pings without reading still fills no more than this.
      this.#socket.writableLength < WINDOW_BYTES
    );
  }

  /** True while more waits in this process than a peer that reads would leave there. */
  get isFull(): boolean {
    return this.#isOpen && this.#socket.writableLength >= WINDOW_BYTES;
  }

  /** Resolves when nothing waits in this process any more, or the connection is gone. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off("drain", done).off("close", done);
        resolve();
      };
      this.#socket.on("drain", done).on("close", done);
    });
  }

  write(bytes: Uint8Array, messages: number): void {
    if (!this.isOpen) return;
    this.#sentBytes += bytes.length;
    this.#sentMessages += messages;
    if (this.#sentBytes - this.#pingedBytes < PING_EVERY_BYTES) {
      this.#socket.write(bytes);
      return;
    }
    this.#socket.cork();
    this.#socket.write(bytes);
    this.#ping(this.#context.clock.monotonic());
    this.#socket.uncork();
  }

  ready(): Promise<void> {
    if (!this.isOpen || this.canTake) return Promise.resolve();
    // Most links never need it.
    if (this.#waiting === undefined) this.#socket.on("drain", () => this.#release());
    const waiting = (this.#waiting ??= []);
    return new Promise((resolve) => waiting.push(resolve));
  }

  /** The peer has sent something. */
  heard(): void {
    this.#heardAt = Math.round(this.#context.clock.monotonic());
  }

  /** The peer has answered a ping, and with it all before. What was never asked is no answer. */
  pong(text: string): void {
    this.heard();
    const pings = this.#pings ?? [];
    const index = pings.findIndex((ping) => ping.text === text);
    if (index < 0) return;
    this.#ackedBytes = pings[index]?.sentBytes ?? this.#ackedBytes;
    this.#ackedAt = this.#heardAt;
    this.#pings = index + 1 < pings.length ? pings.slice(index + 1) : undefined;
    this.#release();
  }

  /** Looks at the time: asks, or gives up. Called a few times a second. */
  tick(now: number): void {
    if (!this.#isOpen) return;
    const { times, counters } = this.#context;
    const oldest = this.#pings?.[0];
    if (oldest !== undefined) {
      const isData = oldest.sentBytes > this.#ackedBytes;
      // A slow peer answers late, and yet takes: what counts is since when it has taken nothing more.
      const silentMs = now - (isData ? Math.max(oldest.at, this.#ackedAt) : oldest.at);
      if (silentMs > (isData ? times.stallTimeoutMs : times.pongTimeoutMs)) {
        counters[isData ? "cutSlow" : "cutDead"] += 1;
        return this.#owner.close("TOO_SLOW");
      }
    }
    const isUnasked = this.#sentBytes > this.#pingedBytes && now - this.#askedAt >= PING_AFTER_MS;
    const isSilent = oldest === undefined && now - Math.max(this.#heardAt, this.#askedAt) >= times.pingIntervalMs;
    if (isUnasked || isSilent) this.#ping(now);
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isOpen = false;
    this.#pings = undefined;
    this.#release();
  }

  #ping(now: number): void {
    const text = String(this.#sentMessages);
    (this.#pings ??= []).push({ text, sentBytes: this.#sentBytes, at: now });
    this.#pingedBytes = this.#sentBytes;
    this.#askedAt = Math.round(now);
    this.#socket.write(pingFrame(text));
  }

  #release(): void {
    if (this.#waiting === undefined || this.#waiting.length === 0 || (this.#isOpen && !this.canTake)) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
