/** A WebSocket client of bare bytes: it sends what it is told to, right or wrong, and keeps what comes. */

import { connect, type Socket } from "node:net";

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export interface FrameOptions {
  readonly opcode?: number;
  readonly isFinal?: boolean;
  readonly rsv?: number;
  readonly isMasked?: boolean;
  /** The bytes that say the length: as few as there must be when absent. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** What the header says, whatever follows. */
  readonly declaredLength?: number | bigint;
}

const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78]);

/** A frame as a client sends it. */
export function frame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = TEXT, isFinal = true, rsv = 0, isMasked = true } = options;
  const body = Buffer.from(payload);
  const { declaredLength = body.length } = options;
  const lengthBytes = options.lengthBytes ?? (declaredLength < 126 ? 0 : declaredLength < 65_536 ? 2 : 8);
  const first = (isFinal ? 0x80 : 0) | (rsv << 4) | opcode;
  const short = lengthBytes === 0 ? Number(declaredLength) : lengthBytes === 2 ? 126 : 127;
  const length = Buffer.alloc(lengthBytes);
  if (lengthBytes === 2) length.writeUInt16BE(Number(declaredLength));
  if (lengthBytes === 8) length.writeBigUInt64BE(BigInt(declaredLength));
  const head = [Buffer.from([first, (isMasked ? 0x80 : 0) | short]), length, ...(isMasked ? [MASK] : [])];
  if (isMasked) for (let at = 0; at < body.length; at++) body[at] = (body[at] as number) ^ (MASK[at & 3] as number);
  return Buffer.concat([...head, body]);
}

/** A close frame with a code. */
export function closeFrame(code: number, reason: string | Buffer = ""): Buffer {
  return frame(Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]), { opcode: CLOSE });
}

/** The lines of a handshake; `undefined` leaves a header out. */
export function handshake(
  changes: Readonly<Record<string, string | undefined>> = {},
  start = "GET / HTTP/1.1",
): string {
  const headers = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${[start, ...lines].join("\r\n")}\r\n\r\n`;
}

/** A frame that came. */
export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export class RawClient {
  readonly socket: Socket;
  readonly frames: ReceivedFrame[] = [];
  /** The status of the answer to the handshake; undefined before it is whole, or when there was none. */
  status: number | undefined;
  answer = "";
  isOver = false;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  /** Answers pings, as any client does. */
  answersPings = true;
  /** Gets each text as it comes; then it is not kept. */
  take: ((text: string) => void) | undefined;
  /** What `take` threw first. */
  trouble: unknown;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.on("data", (bytes: Buffer) => this.#take(bytes));
    this.socket.on("error", () => undefined);
    this.socket.on("end", () => this.#end());
    this.socket.on("close", () => this.#end());
  }

  /** A client whose handshake is done and whose first messages have come. */
  static async open(port: number, start?: string): Promise<RawClient> {
    const client = new RawClient(port);
    client.send(handshake({}, start));
    await client.until(() => client.messages.some(({ type }) => type === "subscribed" || type === "error"));
    return client;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  say(message: unknown): void {
    this.send(frame(JSON.stringify(message)));
  }

  get messages(): { readonly type: string; readonly [name: string]: unknown }[] {
    return this.frames
      .filter(({ opcode }) => opcode === TEXT)
      .map(({ payload }) => JSON.parse(payload.toString("utf8")) as { type: string });
  }

  /** The code of the close frame that came; 1005 when it had none; undefined when none came. */
  get closeCode(): number | undefined {
    const found = this.frames.find(({ opcode }) => opcode === CLOSE);
    return found && (found.payload.length < 2 ? 1005 : found.payload.readUInt16BE(0));
  }

  /** Resolves when `holds` does. */
  async until(holds: () => boolean, ms = 10_000): Promise<void> {
    const late = setTimeout(() => this.socket.destroy(new Error("late")), ms);
    while (!holds()) {
      if (this.socket.destroyed && !holds())
        throw new Error(`waited in vain, with ${this.frames.length} frames, ${this.answer}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    clearTimeout(late);
  }

  /** @throws what `take` threw. */
  check(): void {
    if (this.trouble !== undefined) throw new Error("a wrong message", { cause: this.trouble });
  }

  /** Until the server has ended the connection. */
  over(ms?: number): Promise<void> {
    return this.until(() => this.isOver || this.socket.destroyed, ms);
  }

  /** Begins to take nothing. */
  stall(): void {
    this.socket.pause();
  }

  /** Takes again. */
  resume(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (this.status === undefined) this.#takeAnswer();
    if (this.status === 101) this.#takeFrames();
    this.#wake();
  }

  #takeAnswer(): void {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end < 0) return;
    this.answer = this.#bytes.toString("latin1", 0, end);
    this.status = Number(/^HTTP\/1\.1 (\d{3})/.exec(this.answer)?.[1]);
    this.#bytes = this.#bytes.subarray(end + 4);
  }

  #takeFrames(): void {
    for (;;) {
      if (this.#bytes.length < 2) return;
      const short = this.#bytes[1] as number;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.#bytes.length < start) return;
      const length =
        short < 126 ? short : short === 126 ? this.#bytes.readUInt16BE(2) : Number(this.#bytes.readBigUInt64BE(2));
      if (this.#bytes.length < start + length) return;
      const opcode = (this.#bytes[0] as number) & 15;
      const payload = Buffer.from(this.#bytes.subarray(start, start + length));
      this.#bytes = this.#bytes.subarray(start + length);
      if (opcode === TEXT && this.take !== undefined) this.#give(this.take, payload);
      else this.frames.push({ opcode, payload });
      if (opcode === PING && this.answersPings) this.send(frame(payload, { opcode: PONG }));
    }
  }

  #give(take: (text: string) => void, payload: Buffer): void {
    try {
      take(payload.toString("utf8"));
    } catch (error) {
      this.trouble ??= error;
    }
  }

  #end(): void {
    this.isOver = true;
    this.#wake();
  }
}
