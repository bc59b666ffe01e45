import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";

import {
  BINARY,
  CLOSE,
  closeFrame,
  CONTINUATION,
  frame,
  handshake,
  PING,
  PONG,
  RawClient,
  TEXT,
  type FrameOptions,
} from "./raw-client.ts";
import { startServed, until, type Served } from "./served.ts";

let at: Served;
let witness: RawClient;

beforeAll(async () => {
  at = await startServed({ closeTimeoutMs: 300 });
  witness = await RawClient.open(at.port);
});

afterAll(async () => {
  witness.destroy();
  await at.close();
});

/** After every case the process is alive, the other client gets its events, and nothing is left of the one that misbehaved. */
afterEach(async () => {
  const seen = witness.frames.length;
  at.kept.report();
  await witness.until(() => witness.frames.length > seen);
  expect(witness.closeCode).toBeUndefined();
  await until("only the witness is left", async () => at.server.clientCount === 1 && (await at.connections()) === 1);
  expect(at.errors).toEqual([]);
});
const ping = JSON.stringify({ type: "ping", requestId: "r1" });
const empty = Buffer.alloc(0);

/** What is sent, and the close code it must end in. */
const refused: [string, Buffer, number][] = [
  ["an unmasked frame", frame(ping, { isMasked: false }), 1002],
  ["an unmasked ping", frame("x", { opcode: PING, isMasked: false }), 1002],
  ["an unmasked close", frame("", { opcode: CLOSE, isMasked: false }), 1002],
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((rsv): [string, Buffer, number][] => [
    [`reserved bits ${rsv} in a text`, frame(ping, { rsv }), 1002],
    [`reserved bits ${rsv} in a ping`, frame("", { opcode: PING, rsv }), 1002],
  ]),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): [string, Buffer, number][] => [
    [`the reserved opcode ${opcode}`, frame("x", { opcode }), 1002],
    [`the reserved opcode ${opcode}, empty and not final`, frame("", { opcode, isFinal: false }), 1002],
  ]),
  ...[CLOSE, PING, PONG].flatMap((opcode): [string, Buffer, number][] => [
    [`a control frame ${opcode} of 126 bytes`, frame(Buffer.alloc(126), { opcode }), 1002],
    [`a control frame ${opcode} of 65,536 bytes`, frame(Buffer.alloc(65_536), { opcode }), 1002],
    [`a fragmented control frame ${opcode}`, frame("", { opcode, isFinal: false }), 1002],
  ]),
  ["a continuation of nothing", frame(ping, { opcode: CONTINUATION }), 1002],
  ["a continuation of nothing, not final", frame("", { opcode: CONTINUATION, isFinal: false }), 1002],
  [
    "a continuation behind a message that is whole",
    Buffer.concat([frame(ping), frame("x", { opcode: CONTINUATION })]),
    1002,
  ],
  ...[TEXT, BINARY].map((opcode): [string, Buffer, number] => [
    `a new message ${opcode} within a fragmented one`,
    Buffer.concat([frame("{", { isFinal: false }), frame("}", { opcode })]),
    1002,
  ]),
  ...Object.entries({
    "a lone continuation byte": [0x80],
    "an overlong slash": [0xc0, 0xaf],
    "an overlong nought": [0xe0, 0x80, 0x80],
    "half a surrogate pair": [0xed, 0xa0, 0x80],
    "beyond U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
    "a cut character": [0xf0, 0x9f, 0x9a],
    "a byte that never occurs": [0xff],
    "five bytes": [0xf8, 0x88, 0x80, 0x80, 0x80],
  }).flatMap(([name, bytes]): [string, Buffer, number][] => [
    [`bad UTF-8: ${name}`, frame(Buffer.from(bytes)), 1007],
    [`bad UTF-8 behind good: ${name}`, frame(Buffer.concat([Buffer.from("é🚀"), Buffer.from(bytes)])), 1007],
    [
      `bad UTF-8 over two fragments: ${name}`,
      Buffer.concat([
        frame(Buffer.from(bytes.slice(0, 1)), { isFinal: false }),
        frame(Buffer.from(bytes.slice(1)), { opcode: CONTINUATION }),
      ]),
      1007,
    ],
    [
      `bad UTF-8 in the reason of a close: ${name}`,
      frame(Buffer.from([0x03, 0xe8, ...bytes]), { opcode: CLOSE }),
      1007,
    ],
  ]),
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code): [string, Buffer, number] => [
    `the close code ${code}`,
    closeFrame(code),
    1002,
  ]),
  ["a close with one byte", frame("x", { opcode: CLOSE }), 1002],
  ["a length with its high bit set", frame("", { lengthBytes: 8, declaredLength: 2n ** 63n }), 1009],
  ["the greatest length there is", frame("", { lengthBytes: 8, declaredLength: 2n ** 64n - 1n }), 1009],
  ["2^53 bytes", frame("", { lengthBytes: 8, declaredLength: 2n ** 53n }), 1009],
  ["one GiB, declared", frame("", { declaredLength: 1024 ** 3 }), 1009],
  ["one byte more than 64 KiB", frame(Buffer.alloc(65_537, "x")), 1009],
  [
    "64 KiB and a byte in two fragments",
    Buffer.concat([frame(Buffer.alloc(65_536, "x"), { isFinal: false }), frame("x", { opcode: CONTINUATION })]),
    1009,
  ],
  [
    "1,025 fragments",
    Buffer.concat([
      frame("", { isFinal: false }),
      ...Array.from({ length: 1_024 }, () => frame("", { opcode: CONTINUATION, isFinal: false })),
    ]),
    1008,
  ],
  [
    "200,000 empty fragments",
    Buffer.concat([
      frame("", { isFinal: false }),
      ...Array.from({ length: 200_000 }, () => frame("", { opcode: CONTINUATION, isFinal: false })),
    ]),
    1008,
  ],
];

test.each(refused)("closed: %s", async (_name, bytes, code) => {
  const client = await RawClient.open(at.port);
  client.send(bytes);
  await client.until(() => client.closeCode !== undefined);
  expect(client.closeCode).toBe(code);
  client.destroy();
});

const lengths: [string, FrameOptions][] = [
  ["in 3 bytes though 1 is enough", { lengthBytes: 2 }],
  ["in 9 bytes though 1 is enough", { lengthBytes: 8 }],
];

/** What is taken, and the messages that answer it. */
const taken: [string, Buffer, readonly string[]][] = [
  ["a whole message", frame(ping), ["pong"]],
  // RFC 6455 wants the shortest form of the sender; to take another is harmless.
  ...lengths.map(([name, options]): [string, Buffer, readonly string[]] => [
    `a length ${name}`,
    frame(ping, options),
    ["pong"],
  ]),
  ["two messages in one packet", Buffer.concat([frame(ping), frame(ping)]), ["pong", "pong"]],
  [
    "a message in two fragments",
    Buffer.concat([frame(ping.slice(0, 5), { isFinal: false }), frame(ping.slice(5), { opcode: CONTINUATION })]),
    ["pong"],
  ],
  [
    "a ping between fragments",
    Buffer.concat([
      frame(ping.slice(0, 5), { isFinal: false }),
      frame("between", { opcode: PING }),
      frame(ping.slice(5), { opcode: CONTINUATION }),
    ]),
    ["pong"],
  ],
  [
    "a fragment of nothing",
    Buffer.concat([
      frame(empty, { isFinal: false }),
      frame(empty, { opcode: CONTINUATION, isFinal: false }),
      frame(ping, { opcode: CONTINUATION }),
    ]),
    ["pong"],
  ],
  ["a message split within a character", splitText(`{"type":"ping","requestId":"é🚀"}`, 28), ["pong"]],
  [
    "pongs that nobody asked for",
    Buffer.concat([frame("99999", { opcode: PONG }), frame("", { opcode: PONG }), frame(ping)]),
    ["pong"],
  ],
  ["a ping of 125 bytes", Buffer.concat([frame(Buffer.alloc(125, "x"), { opcode: PING }), frame(ping)]), ["pong"]],
  ["an empty message", Buffer.concat([frame(""), frame(ping)]), ["error", "pong"]],
  ["a binary message", Buffer.concat([frame(ping, { opcode: BINARY }), frame(ping)]), ["error", "pong"]],
  ["64 KiB", Buffer.concat([frame(Buffer.alloc(65_536, "x")), frame(ping)]), ["error", "pong"]],
  ["a nought", Buffer.concat([frame("\0"), frame(ping)]), ["error", "pong"]],
  ["JSON of a thousand levels", Buffer.concat([frame("[".repeat(30_000)), frame(ping)]), ["error", "pong"]],
  ["an array", Buffer.concat([frame("[1]"), frame(ping)]), ["error", "pong"]],
  ["null", Buffer.concat([frame("null"), frame(ping)]), ["error", "pong"]],
  ["a prototype", Buffer.concat([frame('{"__proto__":{"type":"ping"}}'), frame(ping)]), ["error", "pong"]],
];

function splitText(text: string, byte: number): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([
    frame(bytes.subarray(0, byte), { isFinal: false }),
    frame(bytes.subarray(byte), { opcode: CONTINUATION }),
  ]);
}

test.each(taken)("taken: %s", async (_name, bytes, answers) => {
  const client = await RawClient.open(at.port);
  const before = client.messages.length;
  client.send(bytes);
  await client.until(() => client.messages.length >= before + answers.length);
  expect(client.messages.slice(before).map(({ type }) => type)).toEqual(answers);
  expect(client.closeCode).toBeUndefined();
  client.send(closeFrame(1000));
  await client.over();
  expect(client.closeCode).toBe(1000);
  client.destroy();
});

test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
  "the close code %i is answered with itself",
  async (code) => {
    const client = await RawClient.open(at.port);
    client.send(closeFrame(code, "é"));
    await client.over();
    expect(client.closeCode).toBe(code);
    client.destroy();
  },
);

test("a ping is answered with what it carried", async () => {
  const client = await RawClient.open(at.port);
  for (const text of ["", "x", "y".repeat(125)]) client.send(frame(text, { opcode: PING }));
  await client.until(() => client.frames.filter(({ opcode }) => opcode === PONG).length === 3);
  const pongs = client.frames.filter(({ opcode }) => opcode === PONG).map(({ payload }) => payload.toString());
  expect(pongs).toEqual(["", "x", "y".repeat(125)]);
  client.destroy();
});

test("a close without a code is answered; what comes behind a close is not looked at", async () => {
  const client = await RawClient.open(at.port);
  const before = client.messages.length;
  client.send(
    Buffer.concat([frame("", { opcode: CLOSE }), frame(ping), frame(Buffer.from([0xff])), frame("x", { opcode: 3 })]),
  );
  await client.over();
  expect(client.closeCode).toBe(1005);
  expect(client.messages.slice(before)).toEqual([]);
  client.destroy();
});

test("behind its close frame the server sends nothing, though events come, and ends the connection in order", async () => {
  for (let round = 0; round < 30; round++) {
    const client = await RawClient.open(at.port);
    let hadError = false;
    client.socket.on("error", () => (hadError = true));
    at.kept.report(5);
    client.send(closeFrame(1000));
    for (let n = 0; n < 10; n++) {
      at.kept.report(20);
      await new Promise(setImmediate);
    }
    await client.over();
    const index = client.frames.findIndex(({ opcode }) => opcode === CLOSE);
    expect(client.closeCode).toBe(1000);
    expect(client.frames.slice(index + 1)).toEqual([]);
    expect(hadError).toBe(false);
    client.destroy();
  }
});

test("a client that does not answer the server's close is cut", async () => {
  const client = await RawClient.open(at.port);
  for (let n = 0; n < 20; n++) client.send(frame("nonsense"));
  await client.until(() => client.closeCode !== undefined);
  expect(client.closeCode).toBe(4500);
  await until("cut", async () => (await at.connections()) === 1);
  client.destroy();
});

/** Handshakes, and the status that answers them. */
const handshakes: [string, string, number][] = [
  ["all is right", handshake(), 101],
  ["the path /ws", handshake({}, "GET /ws HTTP/1.1"), 101],
  ["several tokens in Connection", handshake({ Connection: "keep-alive, Upgrade" }), 101],
  ["other capitals", handshake({ Upgrade: "WebSocket", Connection: "upgrade" }), 101],
  [
    "an extension is offered",
    handshake({ "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" }),
    101,
  ],
  ["version 8", handshake({ "Sec-WebSocket-Version": "8" }), 101],
  ["version 12", handshake({ "Sec-WebSocket-Version": "12" }), 400],
  ["version 14", handshake({ "Sec-WebSocket-Version": "14" }), 400],
  ["no version", handshake({ "Sec-WebSocket-Version": undefined }), 400],
  ["no key", handshake({ "Sec-WebSocket-Key": undefined }), 400],
  ["a short key", handshake({ "Sec-WebSocket-Key": "c2hvcnQ=" }), 400],
  ["a key that is no base64", handshake({ "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==" }), 400],
  ["a long key", handshake({ "Sec-WebSocket-Key": "x".repeat(200) }), 400],
  ["a bad extension", handshake({ "Sec-WebSocket-Extensions": "permessage-deflate; =" }), 101],
  ["a bad subprotocol", handshake({ "Sec-WebSocket-Protocol": "a,,b" }), 400],
  ["another Upgrade", handshake({ Upgrade: "h2c" }), 400],
  ["two Upgrades in one", handshake({ Upgrade: "websocket, h2c" }), 400],
  ["HTTP/1.0", handshake({}, "GET / HTTP/1.0"), 400],
  ["POST", handshake({}, "POST / HTTP/1.1"), 405],
  ["HEAD", handshake({}, "HEAD / HTTP/1.1"), 405],
  ["another path", handshake({}, "GET /nothing/here HTTP/1.1"), 404],
  ["a path with a dot segment", handshake({}, "GET /../etc/passwd HTTP/1.1"), 404],
  ["an address of another host", handshake({}, "GET http://evil.example/ws HTTP/1.1"), 101],
  ["an address that is none", handshake({}, "GET // HTTP/1.1"), 400],
  ["an address with a broken port", handshake({}, "GET http://[::1:9/ HTTP/1.1"), 400],
  ["a broken percent", handshake({}, "GET /%zz?after=%zz HTTP/1.1"), 404],
  ["no Host", handshake({ Host: undefined }), 403],
  ["another Host", handshake({ Host: "evil.example" }), 403],
  ["another Origin", handshake({ Origin: "https://evil.example" }), 403],
  ["the Origin null", handshake({ Origin: "null" }), 403],
  ["5,000 headers", handshake(Object.fromEntries(Array.from({ length: 5_000 }, (_unused, n) => [`h${n}`, "x"]))), 431],
  ["one header of 100,000 bytes", handshake({ Cookie: "x".repeat(100_000) }), 431],
  ["a header with a nought", handshake({ Cookie: "a\0b" }), 400],
  ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
  ["a length and chunks", handshake({ "Content-Length": "5", "Transfer-Encoding": "chunked" }), 400],
];

test.each(handshakes)("handshake: %s", async (_name, request, status) => {
  const client = new RawClient(at.port);
  onTestFinished(() => client.destroy());
  client.send(Buffer.from(request, "latin1"));
  await client.until(() => client.status !== undefined);
  // Who is refused is not kept, though it keeps its own end open.
  if (client.status === 101) client.destroy();
  else await until("nothing is kept", async () => (await at.connections()) === 1);
  expect(client.status).toBe(status);
});

test("two Upgrade headers are no WebSocket", async () => {
  const client = new RawClient(at.port);
  client.send(handshake().replace("Upgrade: websocket\r\n", "Upgrade: websocket\r\nUpgrade: websocket\r\n"));
  await client.until(() => client.status !== undefined);
  expect(client.status).toBe(400);
  client.destroy();
});

test("a plain request is answered as HTTP", async () => {
  const plain = new RawClient(at.port);
  plain.send(handshake({ Upgrade: undefined, Connection: "close" }));
  await plain.until(() => plain.status !== undefined);
  expect(plain.status).toBe(426);
  plain.destroy();
});

test("there are at least 120 cases", () => {
  expect(refused.length + taken.length + handshakes.length).toBeGreaterThanOrEqual(120);
});
