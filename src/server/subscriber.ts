/** One client of the WebSocket server: its subscription, and what is sent to it at its own pace. */

import type { WebSocket } from "ws";

import { isMilepostError, MilepostError, shown } from "../errors.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { CLOSE_CODES, upgradeChannel, type ClientMessage, type ServerMessage } from "../stream/protocol.ts";
import { report, type Logger } from "../tracker/logger.ts";

/** What is served: one upgrade's state and log. */
export interface StreamSource {
  readonly upgradeId: string;
  state(): UpgradeProgress;
  summary(): object;
  /** True if the cursor is on the log's history. */
  hasCursor(cursor: string): Promise<boolean>;
  /** The stored lines after a cursor, then live ones. */
  lines(options: { readonly after: string; readonly signal: AbortSignal }): AsyncGenerator<Uint8Array, undefined>;
}

/** Sent and not yet taken by the client's connection; beyond it the client's reader waits. */
const MAX_PENDING_BYTES = 1024 * 1024;
/** A client that takes nothing for so long is cut; it may come back with its cursor. */
const STALL_TIMEOUT_MS = 30_000;

export class Subscriber {
  readonly #socket: WebSocket;
  readonly #source: StreamSource;
  readonly #logger: Logger;
  #reading: AbortController | undefined;

  constructor(socket: WebSocket, source: StreamSource, logger: Logger) {
    this.#socket = socket;
    this.#source = source;
    this.#logger = logger;
  }

  send(message: ServerMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @throws UNKNOWN_UPGRADE for a channel that is not served here. */
  handle(message: ClientMessage): void {
    const { requestId } = message;
    const reply = requestId === undefined ? {} : { requestId };
    switch (message.type) {
      case "ping":
        return this.send({ type: "pong", ...reply });
      case "get_summary":
        return this.send({ type: "summary", summary: this.#source.summary(), ...reply });
      case "unsubscribe":
        this.#reading?.abort();
        return this.send({ type: "unsubscribed", channel: message.channel, ...reply });
      case "subscribe":
        return this.subscribe(message);
    }
  }

  subscribe(request: { readonly channel: string; readonly after?: string; readonly requestId?: string }): void {
    if (request.channel !== upgradeChannel(this.#source.upgradeId)) {
      throw new MilepostError("UNKNOWN_UPGRADE", `this server does not serve ${shown(request.channel)}`);
    }
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    this.#stream(request, reading.signal).catch((error: unknown) => {
      if (!reading.signal.aborted) report(this.#logger, "error", "a WebSocket subscriber was cut", error);
      this.#socket.close(CLOSE_CODES.SLOW, "the stream broke; come back with your cursor");
    });
  }

  stop(): void {
    this.#reading?.abort();
  }

  async #stream(request: { channel: string; after?: string; requestId?: string }, signal: AbortSignal): Promise<void> {
    const { channel, after, requestId } = request;
    const recovered = after !== undefined && (await this.#isOnHistory(after));
    if (signal.aborted) return;
    let cursor = recovered ? after : this.#snapshot(channel);
    this.send({ type: "subscribed", channel, cursor, recovered, ...(requestId !== undefined && { requestId }) });
    while (!signal.aborted) {
      try {
        for await (const line of this.#source.lines({ after: cursor, signal })) await this.#push(line, signal);
        return;
      } catch (error) {
        // The next run has begun, or an older backup came back: said aloud, with the state as it is now.
        if (!isMilepostError(error, "CURSOR_GONE")) throw error;
        cursor = this.#snapshot(channel);
        this.send({ type: "subscribed", channel, cursor, recovered: false });
      }
    }
  }

  async #isOnHistory(cursor: string): Promise<boolean> {
    try {
      return await this.#source.hasCursor(cursor);
    } catch (error) {
      if (isMilepostError(error, "INVALID_ARGUMENT")) return false;
      throw error;
    }
  }

  #snapshot(channel: string): string {
    const upgrade = this.#source.state();
    this.send({ type: "snapshot", channel, cursor: upgrade.cursor, recovered: false, upgrade });
    return upgrade.cursor;
  }

  /** Sends a line as one message; waits while the connection does not take what was sent before. */
  async #push(line: Uint8Array, signal: AbortSignal): Promise<void> {
    const socket = this.#socket;
    if (signal.aborted || socket.readyState !== socket.OPEN) return;
    const sent = new Promise<void>((resolve) => socket.send(line.subarray(0, -1), { binary: false }, () => resolve()));
    if (socket.bufferedAmount < MAX_PENDING_BYTES) return;
    const stalled = setTimeout(() => socket.terminate(), STALL_TIMEOUT_MS);
    await sent;
    clearTimeout(stalled);
  }
}
