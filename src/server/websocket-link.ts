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

export interface LinkOptions {
  readonly times: LinkTimes;
  readonly counters: StreamCounters;
  readonly monotonic: () => number;
}

/** What was asked for and has not been answered. */
interface SentPing {
  readonly text: string;
  readonly sentBytes: number;
  readonly at: number;
}

export class WebSocketLink implements Link {
  readonly #socket: Duplex;
  readonly #options: LinkOptions;
  readonly #cut: (code: "TOO_SLOW") => void;
  #isOpen = true;
  #sentBytes = 0;
  #sentMessages = 0;
  #pingedBytes = 0;
  #ackedBytes = 0;
  /** Oldest first. */
  #pings: SentPing[] = [];
  /** When a ping last went out, or the peer was last heard. */
  #askedAt: number;
  #heardAt: number;
  #waiting: (() => void)[] | undefined;

  /** @param cut - gives the connection up. */
  constructor(socket: Duplex, options: LinkOptions, cut: (code: "TOO_SLOW") => void) {
    this.#socket = socket;
    this.#options = options;
    this.#cut = cut;
    this.#askedAt = this.#heardAt = options.monotonic();
    socket.on("drain", () => this.#release());
  }

  get encoding(): Encoding {
    return webSocketEncoding;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get canTake(): boolean {
    return (
      this.#isOpen &&
      this.#sentBytes - this.#ackedBytes < WINDOW_BYTES &&
      // Whoever answers pings without reading still fills no more than this.
      this.#socket.writableLength < WINDOW_BYTES
    );
  }

  write(bytes: Uint8Array, messages: number): void {
    if (!this.#isOpen) return;
    this.#sentBytes += bytes.length;
    this.#sentMessages += messages;
    if (this.#sentBytes - this.#pingedBytes < PING_EVERY_BYTES) {
      this.#socket.write(bytes);
      return;
    }
    this.#socket.cork();
    this.#socket.write(bytes);
    this.#ping(this.#options.monotonic());
    this.#socket.uncork();
  }

  ready(): Promise<void> {
    if (!this.#isOpen || this.canTake) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** The peer has sent something. */
  heard(): void {
    this.#heardAt = this.#options.monotonic();
  }

  /** The peer has answered a ping, and with it all before. What was never asked is no answer. */
  pong(text: string): void {
    this.heard();
    const index = this.#pings.findIndex((ping) => ping.text === text);
    if (index < 0) return;
    this.#ackedBytes = this.#pings[index]?.sentBytes ?? this.#ackedBytes;
    this.#pings.splice(0, index + 1);
    this.#release();
  }

  /** Looks at the time: asks, or gives up. Called a few times a second. */
  tick(now: number): void {
    if (!this.#isOpen) return;
    const { times, counters } = this.#options;
    const [oldest] = this.#pings;
    if (oldest !== undefined) {
      const isData = oldest.sentBytes > this.#ackedBytes;
      if (now - oldest.at > (isData ? times.stallTimeoutMs : times.pongTimeoutMs)) {
        counters[isData ? "cutSlow" : "cutDead"] += 1;
        return this.#cut("TOO_SLOW");
      }
    }
    const isUnasked = this.#sentBytes > this.#pingedBytes && now - this.#askedAt >= PING_AFTER_MS;
    const isSilent = oldest === undefined && now - Math.max(this.#heardAt, this.#askedAt) >= times.pingIntervalMs;
    if (isUnasked || isSilent) this.#ping(now);
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isOpen = false;
    this.#pings = [];
    this.#release();
  }

  #ping(now: number): void {
    const text = String(this.#sentMessages);
    this.#pings.push({ text, sentBytes: this.#sentBytes, at: now });
    this.#pingedBytes = this.#sentBytes;
    this.#askedAt = now;
    this.#socket.write(pingFrame(text));
  }

  #release(): void {
    if (this.#waiting === undefined || (this.#isOpen && !this.canTake)) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting) resolve();
  }
}
