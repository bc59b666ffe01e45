/**
 * Answers where there is no request to answer: what came is no HTTP, too much of it, too slow, or asks for what no route gives.
 * Each is a problem document like any other refusal, and the end of the connection: where the next request begins is not known.
 */

import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { ERRORS, MilepostError } from "../errors.ts";
import { SECURITY_HEADERS } from "./api/security-headers.ts";
import { PROBLEM_TYPE, problemDocument } from "./problem-document.ts";

/** Writes the answer to a socket that Node has given up, or never took up, and ends it. */
export function bareAnswer(socket: Duplex, error: MilepostError, status: number = ERRORS[error.code].httpStatus): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(problemDocument(error, { status }));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    ...Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}`),
  ];
  // The client may keep its own end open for as long as it likes.
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function headersOf(body: string): Readonly<Record<string, string>> {
  return {
    ...SECURITY_HEADERS,
    "Cache-Control": "no-store",
    Connection: "close",
    "Content-Type": PROBLEM_TYPE,
    "Content-Length": String(Buffer.byteLength(body)),
  };
}

/** Makes a server answer so, where Node would answer by itself, with a status alone. */
export function answerBarely(server: Server): void {
  const open = new WeakMap<Duplex, Set<ServerResponse>>();
  server.prependListener("request", ({ socket }, response) => {
    const responses = open.get(socket) ?? new Set();
    open.set(socket, responses.add(response));
    response.once("close", () => responses.delete(response));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    // In the middle of an answer another one would be read as a part of it.
    if ([...(open.get(socket) ?? [])].some(({ headersSent }) => headersSent)) return void socket.destroy();
    const [problem, status] = problemOf(error.code);
    bareAnswer(socket, problem, status);
  });
  server.on("checkExpectation", refuseExpectation);
  server.on("connect", (_request, socket) =>
    bareAnswer(socket, new MilepostError("METHOD_NOT_ALLOWED", "this server is no proxy: CONNECT is not taken")),
  );
}

/** Nothing of what came is in it: it may be a part of what was meant for somebody else. */
function problemOf(code: string | undefined): readonly [MilepostError, number] {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return [new MilepostError("TOO_LARGE", "the address and the headers are larger than 16 KiB; send less"), 431];
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return [new MilepostError("TOO_LARGE", "the chunk extensions are larger than 16 KiB; send none"), 413];
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [new MilepostError("TIMEOUT", "the request did not come to its end in time; send it faster"), 408];
    default:
      return [new MilepostError("INVALID_ARGUMENT", "this is no HTTP/1.1 request that can be read"), 400];
  }
}

function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const problem = new MilepostError("INVALID_ARGUMENT", "of all expectations only 100-continue is met; leave it out");
  const body = JSON.stringify(problemDocument(problem, { status: 417 }));
  response.writeHead(417, headersOf(body)).end(request.method === "HEAD" ? undefined : body);
}
