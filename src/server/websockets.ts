/** The WebSockets of a server: who may open one, how each is taken up, and how all are ended. */

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { WebSocketServer, type WebSocket } from "ws";

import { isMilepostError, MilepostError, shown, type ErrorCode } from "../errors.ts";
import { checkWord } from "../model/check.ts";
import { LEVELS, MAX_MESSAGE_BYTES, type Level } from "../stream/protocol.ts";
import { report, type Logger } from "../tracker/logger.ts";
import type { Access, Admission } from "./access.ts";
import { bareAnswer } from "./bare-answer.ts";
import type { Pulse, Ticking } from "./pulse.ts";
import { checkQuery } from "./query.ts";

/** What the client asked for when it connected. */
export interface Arrival {
  readonly admission: Admission;
  readonly channel?: string | undefined;
  readonly after?: string | undefined;
  readonly level?: Level | undefined;
}

/** One client. */
export interface Connection extends Ticking {
  begin(arrival: Arrival): Promise<void>;
  receive(data: Buffer, isBinary: boolean): void;
  pong(data: Buffer): void;
  /** Ends it for the reason of an error; the peer is told with its close code. */
  close(code: ErrorCode): void;
  /** It is gone, or going. */
  ended(): void;
}

export interface WebSocketsOptions {
  readonly access: Access;
  readonly pulse: Pulse;
  readonly logger: Logger;
  /** Makes what serves a client. `raw` is the socket below the WebSocket: frames may be written to it. */
  readonly connect: (socket: WebSocket, raw: Duplex) => Connection;
  /** How long a client gets to answer a close. Default 2,000. */
  readonly closeTimeoutMs?: number;
  /** Default 65,536. */
  readonly maxMessageBytes?: number;
  /** Frames that one message may come in. Default 1,024. */
  readonly maxFragments?: number;
}

const PATHS = new Set(["/", "/ws"]);
/** What an address may ask for. */
const ASKED = new Set(["channel", "after", "level"]);
/** Pieces in which what is not yet a whole frame may come. */
const MAX_CHUNKS = 65_536;

/** A client that is connected. */
interface Client {
  readonly connection: Connection;
  readonly admission: Admission;
}

export class WebSockets implements Ticking {
  readonly #options: WebSocketsOptions;
  readonly #server: WebSocketServer;
  readonly #clients = new Map<WebSocket, Client>();
  /** Sockets in their handshake, or refused: the HTTP server no longer knows of them. */
  readonly #unmet = new Set<Duplex>();
  readonly #listeners: Listeners;

  constructor(options: WebSocketsOptions) {
    const { access, closeTimeoutMs = 2_000, maxMessageBytes = MAX_MESSAGE_BYTES, maxFragments = 1_024 } = options;
    this.#options = options;
    this.#listeners = listenersOf(this.#clients);
    options.pulse.add(this);
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      maxFragments,
      maxBufferedChunks: MAX_CHUNKS,
      handleProtocols: (offered) => access.chooseProtocol(offered),
      // Known to `ws`, and not yet to its types.
      ...({ closeTimeout: closeTimeoutMs } as object),
    });
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Takes up a handshake, or refuses it with the HTTP status of the reason. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { access, logger } = this.#options;
    socket.on("error", destroy);
    this.#unmet.add(socket);
    let admission: Admission | undefined;
    try {
      const asked = askedFor(request);
      admission = await access.admit(request);
      const client = this.#shakeHands(request, socket, head);
      if (client === undefined) return this.#part(socket, admission);
      socket.off("error", destroy);
      this.#unmet.delete(socket);
      this.#take(client, socket, { admission, ...asked });
    } catch (error) {
      if (!isMilepostError(error)) report(logger, "error", "a WebSocket handshake", error);
      this.#part(socket, admission);
      refuse(socket, error);
    }
  }

  tick(now: number): void {
    for (const { connection } of this.#clients.values()) connection.tick(now);
  }

  /** Ends all of them for the reason of an error. */
  closeAll(code: ErrorCode): void {
    for (const { connection } of this.#clients.values()) connection.close(code);
  }

  terminateAll(): void {
    for (const client of this.#clients.keys()) client.terminate();
    for (const socket of this.#unmet) socket.destroy();
  }

  /** No client came of it. */
  #part(socket: Duplex, admission: Admission | undefined): void {
    admission?.leave();
    if (socket.destroyed) this.#unmet.delete(socket);
    else socket.once("close", () => this.#unmet.delete(socket));
  }

  /** Undefined when `ws` has refused the handshake, and has said why. */
  #shakeHands(request: IncomingMessage, socket: Duplex, head: Buffer): WebSocket | undefined {
    let client: WebSocket | undefined;
    // It calls back before it returns, or not at all.
    this.#server.handleUpgrade(request, socket, head, (taken) => (client = taken));
    return client;
  }

  #take(client: WebSocket, raw: Duplex, arrival: Arrival): void {
    const { connect, logger } = this.#options;
    const connection = connect(client, raw);
    this.#clients.set(client, { connection, admission: arrival.admission });
    const listeners = this.#listeners;
    client.on("message", listeners.message).on("pong", listeners.pong);
    client.on("error", listeners.error).on("close", listeners.close);
    connection.begin(arrival).catch((error: unknown) => {
      report(logger, "error", "a WebSocket connection", error);
      connection.close("STREAM_BROKEN");
    });
  }
}

interface Listeners {
  readonly message: (this: WebSocket, data: Buffer, isBinary: boolean) => void;
  readonly pong: (this: WebSocket, data: Buffer) => void;
  readonly error: (this: WebSocket) => void;
  readonly close: (this: WebSocket) => void;
}

/** The same few functions for all clients, which find their connection by the client that they are called for. */
function listenersOf(clients: Map<WebSocket, Client>): Listeners {
  const of = (client: WebSocket): Connection | undefined => clients.get(client)?.connection;
  return {
    message: function (this: WebSocket, data: Buffer, isBinary: boolean): void {
      of(this)?.receive(data, isBinary);
    },
    pong: function (this: WebSocket, data: Buffer): void {
      of(this)?.pong(data);
    },
    /** `ws` closes by itself what breaks the rules of RFC 6455; this only says so. */
    error: function (this: WebSocket): void {
      of(this)?.ended();
    },
    close: function (this: WebSocket): void {
      of(this)?.ended();
      clients.get(this)?.admission.leave();
      clients.delete(this);
    },
  };
}

/** @throws NOT_FOUND, INVALID_ARGUMENT. */
function askedFor({ url: address = "/", httpVersion }: IncomingMessage): Omit<Arrival, "admission"> {
  // RFC 6455 (4.1) does not allow an older one, and `ws` lets it through.
  if (httpVersion !== "1.1") throw new MilepostError("INVALID_ARGUMENT", "a WebSocket needs HTTP/1.1");
  if (!URL.canParse(address, "http://localhost"))
    throw new MilepostError("INVALID_ARGUMENT", `${shown(address)} is no address; ask for / or /ws`);
  const { pathname, searchParams } = new URL(address, "http://localhost");
  if (!PATHS.has(pathname))
    throw new MilepostError("NOT_FOUND", `there is no WebSocket at ${shown(pathname)}; ask for / or /ws`);
  checkQuery(searchParams, ASKED);
  const [channel, after, level] = [...ASKED].map((name) => searchParams.get(name) ?? undefined);
  return { channel, after, level: level === undefined ? undefined : checkWord(level, "level", LEVELS) };
}

function destroy(this: Duplex): void {
  this.destroy();
}

function refuse(socket: Duplex, error: unknown): void {
  bareAnswer(socket, isMilepostError(error) ? error : new MilepostError("INTERNAL", "the server has failed"));
}
