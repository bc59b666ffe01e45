/**
 * How events and messages become bytes on a kind of connection. An event is its line's JSON text as it stands in the log, so
 * encoding it is a copy: nothing is parsed, nothing is written anew.
 *
 * WebSocket (RFC 6455, 5.2), one unmasked text frame for each: 0x81, the length in 1, 3 or 9 bytes, the text.
 * SSE (HTML, 9.2): `id: <cursor>`, `data: <text>`, an empty line; JSON text has no line break of its own.
 */

import type { ServerMessage } from "./protocol.ts";

export interface Encoding {
  readonly name: "websocket" | "sse";
  /** The bytes of an event whose JSON text has `textBytes`; its cursor `cursorBytes`. */
  size(textBytes: number, cursorBytes: number): number;
  /** Writes the event at `at`, where there is room for its size; returns where it ends. */
  write(target: Buffer, at: number, text: Buffer): number;
  /** A message that is no event. */
  message(message: ServerMessage): Buffer;
  /** A message whose JSON text is ready. */
  text(type: ServerMessage["type"], cursor: string | undefined, json: string): Buffer;
}

const TEXT_OPCODE = 0x81;
const PING_OPCODE = 0x89;
const CURSOR_OPEN = Buffer.from('"cursor":"', "latin1");
const QUOTE = 0x22;
const SSE_ID = Buffer.from("id: ", "latin1");
const SSE_DATA = Buffer.from("\ndata: ", "latin1");
const NEWLINE = 0x0a;

/** The bytes before a frame's payload. */
function headerBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65_536 ? 4 : 10;
}

function writeHeader(target: Buffer, at: number, opcode: number, payloadBytes: number): number {
  target[at] = opcode;
  if (payloadBytes < 126) {
    target[at + 1] = payloadBytes;
    return at + 2;
  }
  if (payloadBytes < 65_536) {
    target[at + 1] = 126;
    target[at + 2] = payloadBytes >>> 8;
    target[at + 3] = payloadBytes & 0xff;
    return at + 4;
  }
  target[at + 1] = 127;
  target.writeUInt32BE(Math.floor(payloadBytes / 2 ** 32), at + 2);
  target.writeUInt32BE(payloadBytes >>> 0, at + 6);
  return at + 10;
}

function frame(opcode: number, text: string): Buffer {
  const payloadBytes = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(headerBytes(payloadBytes) + payloadBytes);
  bytes.write(text, writeHeader(bytes, 0, opcode, payloadBytes));
  return bytes;
}

/** How much room lines need before them to become frames where they lie: a frame's header is longer than a newline. */
export function roomToFrame(lineEnds: readonly number[]): number {
  let room = 1;
  let from = 0;
  for (const end of lineEnds) {
    room += headerBytes(end - from - 1) - 1;
    from = end;
  }
  return room;
}

/**
 * Makes frames, one behind the other from the beginning of `memory`, of the whole lines that lie in it from `start` on, each
 * ending behind its newline at one of `lineEnds`. Before them there is at least `roomToFrame`. Returns where each frame ends.
 */
export function frameLines(memory: Buffer, start: number, lineEnds: readonly number[]): number[] {
  const ends: number[] = [];
  let at = 0;
  let from = start;
  for (const lineEnd of lineEnds) {
    const end = start + lineEnd;
    at = writeHeader(memory, at, TEXT_OPCODE, end - from - 1);
    memory.copyWithin(at, from, end - 1);
    at += end - from - 1;
    ends.push(at);
    from = end;
  }
  return ends;
}

/** A ping; the pong repeats its text, of at most 125 bytes. */
export function pingFrame(text: string): Buffer {
  return frame(PING_OPCODE, text);
}

export const webSocketEncoding: Encoding = {
  name: "websocket",
  size: (textBytes) => headerBytes(textBytes) + textBytes,
  write: (target, at, text) => {
    const start = writeHeader(target, at, TEXT_OPCODE, text.length);
    return start + text.copy(target, start);
  },
  message: (message) => frame(TEXT_OPCODE, JSON.stringify(message)),
  text: (_type, _cursor, json) => frame(TEXT_OPCODE, json),
};

export const sseEncoding: Encoding = {
  name: "sse",
  size: (textBytes, cursorBytes) => SSE_ID.length + cursorBytes + SSE_DATA.length + textBytes + 2,
  write: (target, start, text) => {
    let at = start + SSE_ID.copy(target, start);
    const { from, to } = cursorPlace(text);
    at += text.copy(target, at, from, to);
    at += SSE_DATA.copy(target, at);
    at += text.copy(target, at);
    target[at++] = NEWLINE;
    target[at++] = NEWLINE;
    return at;
  },
  message: (message) => {
    // Only what a reader may resume from moves its Last-Event-ID.
    const cursor = message.type === "snapshot" && "cursor" in message ? message.cursor : undefined;
    return sseEncoding.text(message.type, cursor, JSON.stringify(message));
  },
  text: (type, cursor, json) =>
    Buffer.from(`event: ${type}\n${cursor === undefined ? "" : `id: ${cursor}\n`}data: ${json}\n\n`),
};

/** Where an event's JSON text has its cursor. */
function cursorPlace(text: Buffer): { readonly from: number; readonly to: number } {
  const from = text.indexOf(CURSOR_OPEN) + CURSOR_OPEN.length;
  return { from, to: text.indexOf(QUOTE, from) };
}

/** The cursor in an event's JSON text. */
export function cursorOf(text: Buffer): string {
  const { from, to } = cursorPlace(text);
  return text.toString("latin1", from, to);
}

const TYPE_OPEN = Buffer.from('"type":"', "latin1");

/** The type in an event's JSON text: the first key of that name, since quotes inside a text are escaped. */
export function typeOf(text: Buffer): string {
  const from = text.indexOf(TYPE_OPEN) + TYPE_OPEN.length;
  return text.toString("latin1", from, text.indexOf(QUOTE, from));
}
