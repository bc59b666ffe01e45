/** What Node would answer by itself, with a status alone, is a problem document and the end of the connection. */

import { createServer, type RequestListener, type ServerOptions } from "node:http";
import { connect, type AddressInfo } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { answerBarely } from "../../src/server/bare-answer.ts";

const CANARY = "CANARY-5f1d";
const QUICK = { headersTimeout: 60, requestTimeout: 120, connectionsCheckingInterval: 20, requireHostHeader: false };

/** All that a server sends until it ends the connection, for what a client sends, a part behind each answer, and leaves open. */
async function answerTo(
  [text = "", ...rest]: readonly string[],
  {
    answer = (_, response) => void response.end("well"),
    ...options
  }: ServerOptions & { answer?: RequestListener } = {},
): Promise<string> {
  const server = createServer({ ...QUICK, ...options }, answer);
  answerBarely(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  return new Promise((resolve, reject) => {
    let received = "";
    socket.setEncoding("latin1").on("data", (piece: string) => {
      received += piece;
      const next = rest.shift();
      if (next !== undefined) socket.write(next);
    });
    socket.on("error", () => undefined).on("close", () => resolve(received));
    socket.setTimeout(8_000, () => reject(new Error(`not ended, after ${JSON.stringify(received)}`)));
    socket.write(text);
  });
}

function problemIn(answer: string): unknown {
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  expect(head).toMatch(/^connection: close$/im);
  expect(head).toMatch(/^content-type: application\/problem\+json$/im);
  expect(head).toContain(`Content-Length: ${body.length}`);
  expect(answer).not.toContain(CANARY);
  const { status, code, type, retryable } = JSON.parse(body) as Record<string, unknown>;
  expect(type).toBe(`urn:milepost:error:${String(code)}`);
  expect(Number(/^HTTP\/1\.1 (\d+) \w/.exec(head)?.[1])).toBe(status);
  return [status, code, retryable];
}

describe("[D3] an answer below the API", () => {
  const GET = `GET /${CANARY} HTTP/1.1\r\nHost: a\r\n`;
  test.each<[string, string, readonly unknown[]]>([
    ["garbage", `${CANARY}\r\n\r\n`, [400, "INVALID_ARGUMENT", false]],
    ["TLS", "\x16\x03\x01\x02\x00\x01", [400, "INVALID_ARGUMENT", false]],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, "INVALID_ARGUMENT", false]],
    ["HTTP/3.7", `GET /${CANARY} HTTP/3.7\r\n\r\n`, [400, "INVALID_ARGUMENT", false]],
    ["two lengths", `${GET}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, [400, "INVALID_ARGUMENT", false]],
    ["a header of 20 kB", `${GET}X: ${CANARY.repeat(2_000)}\r\n\r\n`, [431, "TOO_LARGE", false]],
    ["an expectation", `${GET}Expect: ${CANARY}\r\n\r\n`, [417, "INVALID_ARGUMENT", false]],
    ["CONNECT", `CONNECT ${CANARY}:80 HTTP/1.1\r\nHost: a\r\n\r\n`, [405, "METHOD_NOT_ALLOWED", false]],
    ["headers that do not end", `${GET}X: ${CANARY}`, [408, "TIMEOUT", true]],
    ["a body that does not come", `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n`, [408, "TIMEOUT", true]],
  ])("to %s is a problem document, and the end", async (_name, text, expected) => {
    const options = text.startsWith("POST") ? { answer: () => undefined } : {};
    expect(problemIn(await answerTo([text], options))).toEqual(expected);
  });

  test("to an expectation of a HEAD has no body", async () => {
    const answer = await answerTo(["HEAD / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"]);
    expect(answer).toMatch(/^HTTP\/1\.1 417 .*\r\n\r\n$/s);
  });

  test("is never written into the middle of another one", async () => {
    const answer = await answerTo([`${GET}\r\n`, `${CANARY} garbage\r\n\r\n`], {
      answer: (_request, response) => void response.write("data: one\n\n"),
    });
    expect(answer).toContain("data: one");
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(answer).not.toContain("urn:milepost");
  });

  test("comes behind those that are whole", async () => {
    const answer = await answerTo([`${GET}\r\n`, `${CANARY} garbage\r\n\r\n`]);
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(["200", "400"]);
  });
});
