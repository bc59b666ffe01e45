import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { isMilepostError } from "../src/errors.ts";
import { addressList } from "../src/ip-addresses.ts";
import { checkOutboundUrl, requestOutbound } from "../src/outbound.ts";

const NONE = addressList([], "none");
const LOOPBACK = addressList(["127.0.0.0/8", "::1"], "loopback");

async function served(listener: RequestListener): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createServer(listener).on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

const codeOf = async (act: () => unknown): Promise<string> => {
  try {
    await act();
    return "none";
  } catch (error) {
    return isMilepostError(error) ? error.code : ((error as NodeJS.ErrnoException).code ?? String(error));
  }
};
const ask = (url: string, more: Partial<Parameters<typeof requestOutbound>[1]> = {}) =>
  requestOutbound(new URL(url), { allowed: LOOPBACK, timeoutMs: 2_000, maxBytes: 100, ...more });

test("a listed address is asked, and its answer is given whole", async () => {
  const { port } = await served((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => response.writeHead(201, { "x-name": "a" }).end(`${request.method} ${body}`));
  });
  const answer = await ask(`http://127.0.0.1:${port}/`, { method: "POST", body: "hello" });
  expect([answer.status, answer.headers["x-name"], answer.body.toString()]).toEqual([201, "a", "POST hello"]);
});

test("what is not public and not listed is never connected to: written out, or what a name turns out to be (G23, X20)", async () => {
  const { port, connections } = await served((_request, response) => response.end());
  const urls = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0.0.0.0",
  ];
  for (const host of urls) {
    expect([host, await codeOf(() => ask(`http://${host}:${port}/`, { allowed: NONE }))]).toEqual([host, "FORBIDDEN"]);
  }
  const others = addressList(["10.0.0.0/8"], "others");
  expect(await codeOf(() => ask(`http://localhost:${port}/`, { allowed: others }))).toBe("FORBIDDEN");
  expect(connections()).toBe(0);
  expect(await codeOf(() => ask(`http://localhost:${port}/`))).toBe("none");
});

test("a redirect is an answer and is not followed", async () => {
  const trap = await served((_request, response) => response.end());
  const { port } = await served((_request, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${trap.port}/` }).end(),
  );
  expect((await ask(`http://127.0.0.1:${port}/`)).status).toBe(302);
  expect(trap.connections()).toBe(0);
});

test("an answer has a length and a deadline, and a caller may lose interest", async () => {
  let gone: () => void = () => undefined;
  const wasCut = new Promise<void>((resolve) => (gone = resolve));
  const { port } = await served((request, response) => {
    if (request.url === "/long") response.end("x".repeat(101));
    if (request.url === "/slow") response.write("x");
    request.on("close", gone);
  });
  const at = (path: string): string => `http://127.0.0.1:${port}${path}`;
  expect(await codeOf(() => ask(at("/long")))).toBe("TOO_LARGE");
  expect(await codeOf(() => ask(at("/slow"), { timeoutMs: 100 }))).toBe("TIMEOUT");
  expect(await codeOf(() => ask(at("/never"), { timeoutMs: 100 }))).toBe("TIMEOUT");
  await wasCut;
  expect(await codeOf(() => ask(at("/never"), { signal: AbortSignal.timeout(50) }))).not.toMatch(/none|TIMEOUT/);
});

test("a URL is checked before it is used", () => {
  const check = (text: string, allowed = LOOPBACK): URL => checkOutboundUrl(text, allowed, "jwksUri");
  expect(check("https://issuer.example.com/keys").host).toBe("issuer.example.com");
  expect(check("http://127.0.0.1:80/").hostname).toBe("127.0.0.1");
  const refused = [
    "",
    "issuer",
    "http://issuer.example.com/",
    "http://localhost/",
    "file:///etc/passwd",
    "gopher://x/",
    "https://u@x/",
  ];
  for (const text of [...refused, "https://10.0.0.1/", "https://[fd00:ec2::254]/", "http://10.0.0.1/", "unix:/x"]) {
    expect(() => check(text), text).toThrow(isMilepostErrorLike);
  }
  expect(() => check("http://127.0.0.1/", NONE)).toThrow("https");
  expect(() => check("https://127.0.0.1/", NONE)).toThrow("not a public address");
});

const isMilepostErrorLike = expect.objectContaining({ name: "MilepostError" }) as Error;
