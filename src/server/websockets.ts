/** The WebSockets of a server: who may open one, how each is taken up, and how all are ended. */

import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { WebSocketServer, type WebSocket } from "ws";

import { ERRORS, isMilepostError, MilepostError, type ErrorCode } from "../errors.ts";
import { MAX_MESSAGE_BYTES } from "../stream/protocol.ts";
import { report, type Logger } from "../tracker/logger.ts";
import type { Access, Admission } from "./access.ts";
import type { Pulse, Ticking } from "./pulse.ts";

/** What the client asked for when it connected. */
export interface Arrival {
  readonly admission: Admission;
  readonly channel?: string | undefined;
  readonly after?: string | undefined;
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
/** Pieces in which what is not yet a whole frame may come. */
const MAX_CHUNKS = 65_536;

export class WebSockets {
  readonly #options: WebSocketsOptions;
  readonly #server: WebSocketServer;
  readonly #connections = new Map<WebSocket, Connection>();

  constructor(options: WebSocketsOptions) {
    const { access, closeTimeoutMs = 2_000, maxMessageBytes = MAX_MESSAGE_BYTES, maxFragments = 1_024 } = options;
    this.#options = options;
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
    return this.#connections.size;
  }

  /** Takes up a handshake, or refuses it with the HTTP status of the reason. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { access, logger } = this.#options;
    const gone = (): void => void socket.destroy();
    socket.on("error", gone);
    try {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
      if (!PATHS.has(pathname))
        throw new MilepostError("NOT_FOUND", "there is no WebSocket at this address; use / or /ws");
      const admission = await access.admit(request, this.#connections.size);
      socket.once("close", admission.leave);
      const [channel, after] = ["channel", "after"].map((name) => searchParams.get(name) ?? undefined);
      this.#server.handleUpgrade(request, socket, head, (client) => {
        socket.off("error", gone);
        this.#take(client, socket, { admission, channel, after });
      });
    } catch (error) {
      if (!isMilepostError(error)) report(logger, "error", "a WebSocket handshake", error);
      refuse(socket, error);
    }
  }

  /** Ends all of them for the reason of an error. */
  closeAll(code: ErrorCode): void {
    for (const connection of this.#connections.values()) connection.close(code);
  }

  terminateAll(): void {
    for (const client of this.#connections.keys()) client.terminate();
  }

  #take(client: WebSocket, raw: Duplex, arrival: Arrival): void {
    const { connect, pulse, logger } = this.#options;
    const connection = connect(client, raw);
    this.#connections.set(client, connection);
    pulse.add(connection);
    client.on("message", (data: Buffer, isBinary: boolean) => connection.receive(data, isBinary));
    client.on("pong", (data: Buffer) => connection.pong(data));
    // `ws` closes by itself what breaks the rules of RFC 6455; its error event only says so.
    client.on("error", () => connection.ended());
    client.on("close", () => {
      connection.ended();
      pulse.delete(connection);
      this.#connections.delete(client);
    });
    connection.begin(arrival).catch((error: unknown) => {
      report(logger, "error", "a WebSocket connection", error);
      connection.close("STREAM_BROKEN");
    });
  }
}

function refuse(socket: Duplex, error: unknown): void {
  const { code, message } = isMilepostError(error) ? error : new MilepostError("INTERNAL", "the server has failed");
  const { httpStatus } = ERRORS[code];
  const body = `${code}: ${message}\n`;
  const head = [
    `HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus] ?? ""}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
