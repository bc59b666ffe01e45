/** One connection, from its opening to its end: welcome, credentials, subscription, and the messages of the channel. */

import { MilepostError, shown } from "../../errors.ts";
import type { ProgressEvent } from "../../model/event.ts";
import {
  PROTOCOL_VERSION,
  type ClientMessage,
  type ErrorMessage,
  type Received,
  type ServerMessage,
  type Welcome,
} from "../protocol.ts";
import { addressOf, protocolsOf, type Asked } from "./address.ts";
import type { ClientClock } from "./clock.ts";
import type { Connection } from "./connection.ts";
import { endingOfClose, endingOfRefusal, endingOfTrouble, type Ending } from "./ending.ts";
import type { Feed, Shown } from "./feed.ts";
import { Silence } from "./silence.ts";
import { listenTo, type ClientSocket, type ClientSocketClass } from "./socket.ts";

export interface SessionOptions<Change> {
  readonly WebSocket: ClientSocketClass;
  readonly server: URL;
  readonly token: string | undefined;
  /** Says the token in a message, whatever it is made of. */
  readonly isTokenSaid: boolean;
  readonly feed: Feed<unknown, Change>;
  readonly clock: ClientClock;
  /** Called for each message that shows something, and when the connection has changed. */
  readonly onUpdate: (connection: Connection, shown: Shown<Change> | undefined) => void;
  /** Called once, unless the session is stopped first. */
  readonly onEnd: (ending: Ending) => void;
}

/** A connection that has followed for so long was a good one: the next waiting time begins small again. */
const STABLE_MS = 5_000;
const REQUEST_ID = "watch";
const TOKEN_REQUEST_ID = "token";

export class Session<Change> {
  readonly #options: SessionOptions<Change>;
  readonly #asked: Asked;
  readonly #socket: ClientSocket;
  readonly #silence: Silence;
  /** The token, when it goes into a message. */
  readonly #secret: string | undefined;
  /** Until the server has taken it. */
  #isAnonymous: boolean;
  #said: ErrorMessage | undefined;
  #trouble = "";
  #isWelcome = false;
  #isAsked = false;
  #liveSinceMs: number | undefined;
  #isOver = false;

  /** @throws INVALID_ARGUMENT for an address that the WebSocket class does not take. */
  constructor(options: SessionOptions<Change>) {
    const { WebSocket, server, token, isTokenSaid, feed, clock } = options;
    this.#options = options;
    this.#asked = feed.begin();
    const { protocols, hasToken } = protocolsOf(isTokenSaid ? undefined : token);
    this.#secret = hasToken ? undefined : token;
    this.#isAnonymous = this.#secret !== undefined;
    this.#socket = connect(WebSocket, addressOf(server, this.#asked), protocols);
    this.#listen();
    this.#silence = new Silence(clock, {
      ask: () => this.#send({ type: "ping" }),
      stale: (silentMs) => options.onUpdate({ status: "stale", sinceMs: clock.now() - silentMs }, undefined),
      dead: (silentMs) => this.#end(endingOfTrouble(`nothing was heard for ${Math.round(silentMs / 1000)} s`)),
    });
  }

  /** True once a Milepost server has answered. */
  get wasWelcome(): boolean {
    return this.#isWelcome;
  }

  get wasStable(): boolean {
    return this.#liveSinceMs !== undefined && this.#options.clock.monotonic() - this.#liveSinceMs >= STABLE_MS;
  }

  /** Closes the connection at once; nothing is told any more. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#silence.stop();
    this.#socket.close();
  }

  #listen(): void {
    listenTo(this.#socket, {
      message: ({ data }) => this.#receive(data),
      error: ({ message }) => {
        if (typeof message === "string") this.#trouble = message;
      },
      close: (event) => this.#end(this.#endingOf(event)),
    });
  }

  #endingOf(event: { readonly code: number; readonly reason: string }): Ending {
    const trouble = this.#trouble === "" ? "" : `: ${this.#trouble}`;
    if (!this.#isWelcome && event.code === 1006) return endingOfTrouble(`the server could not be reached${trouble}`);
    return endingOfClose(event, this.#said);
  }

  #end(ending: Ending): void {
    if (this.#isOver) return;
    this.stop();
    this.#options.onEnd(ending);
  }

  #receive(data: unknown): void {
    if (this.#isOver) return;
    this.#silence.heard();
    try {
      if (typeof data !== "string") throw new MilepostError("STREAM_BROKEN", "a message of the server was not text");
      this.#take(parse(data), data.length);
    } catch (error) {
      this.#end(endingOfTrouble(error instanceof Error ? error.message : String(error), error));
    }
  }

  #take(message: Received, sizeChars: number): void {
    if (!this.#isWelcome && message.type !== "welcome") {
      throw new MilepostError("STREAM_BROKEN", "the first message was no welcome: is this a Milepost server?");
    }
    if (message.type === "welcome") return this.#welcomed(message);
    if (message.type === "authenticated") {
      this.#isAnonymous = false;
      return this.#ask(message.channels);
    }
    if (message.type === "error") return this.#refused(message);
    const shown = this.#options.feed.take(message, sizeChars);
    const { clock, feed } = this.#options;
    if (feed.progress === "live") this.#liveSinceMs ??= clock.monotonic();
    this.#options.onUpdate({ status: feed.progress }, shown);
  }

  #welcomed({ protocol, pingIntervalMs, channels }: Welcome): void {
    if ((protocol as number) !== PROTOCOL_VERSION) {
      const what = `the server speaks protocol ${shown(protocol)}, this client ${PROTOCOL_VERSION}; use a client of the server's version`;
      return this.#end({ error: new MilepostError("NEWER_FORMAT", what), isFinal: true });
    }
    this.#isWelcome = true;
    this.#silence.begin(pingIntervalMs);
    if (this.#secret === undefined) return this.#ask(channels);
    this.#send({ type: "authenticate", token: this.#secret, requestId: TOKEN_REQUEST_ID });
  }

  /** The address has asked already; a server that does not look at it is asked in a message. */
  #ask(channels: readonly string[]): void {
    if (this.#isAsked || channels.includes(this.#asked.channel)) return;
    this.#isAsked = true;
    this.#send({ type: "subscribe", ...this.#asked, requestId: REQUEST_ID });
  }

  #refused(message: ErrorMessage): void {
    this.#said = message;
    const { channel, requestId } = message;
    const isOurs = channel === this.#asked.channel || requestId === REQUEST_ID;
    // What nobody in particular may not see is asked for again by somebody.
    if (requestId === TOKEN_REQUEST_ID || (isOurs && !this.#isAnonymous)) this.#end(endingOfRefusal(message));
  }

  #send(message: ClientMessage): void {
    this.#socket.send(JSON.stringify(message));
  }
}

function connect(WebSocket: ClientSocketClass, url: string, protocols: string[]): ClientSocket {
  try {
    return new WebSocket(url, protocols);
  } catch (cause) {
    throw new MilepostError("INVALID_ARGUMENT", `${shown(url)} cannot be connected to: ${String(cause)}`, { cause });
  }
}

/** A line of a log has its checksum with it, which is not part of the event. */
function parse(text: string): Received {
  const { crc: _, ...message } = JSON.parse(text) as (ServerMessage | ProgressEvent) & { readonly crc?: string };
  return message;
}
