import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { serverLines } from "../../../src/cli/source/server-lines.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { parseLine, splitLines } from "../../../src/storage/line.ts";
import { readLines } from "../../../src/tracker/read.ts";
import { temporaryFolder } from "../command-line.ts";
import { ended } from "../recorded.ts";

type Answer = (response: ServerResponse) => void;

/** A server that gives these answers, one after the other, and keeps what it was asked. */
const answering = async (answers: readonly Answer[]) => {
  const asked: URL[] = [];
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? "", "http://x"));
    answers[Math.min(asked.length, answers.length) - 1]?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: undefined, asked };
};

const storedLines = async (): Promise<readonly Buffer[]> => {
  const storagePath = temporaryFolder();
  await ended({ storagePath });
  const lines: Buffer[] = [];
  for await (const bytes of readLines(jsonLines({ path: storagePath }), "upgrade-123"))
    for (const line of splitLines(bytes)) lines.push(Buffer.from(line));
  return lines;
};

const whole =
  (...lines: readonly Buffer[]): Answer =>
  (response) =>
    response.end(Buffer.concat(lines));

const cut =
  (line: Buffer): Answer =>
  (response) => {
    response.writeHead(200, { "Content-Length": line.length });
    response.write(line.subarray(0, 20), () => response.destroy());
  };

const problem =
  (status: number, code: string): Answer =>
  (response) => {
    response.writeHead(status, { "Content-Type": "application/problem+json" });
    response.end(JSON.stringify({ code, detail: "as told" }));
  };

describe("serverLines", () => {
  it("[P11] asks again for what broke off, from the same place, and gives nothing twice", async () => {
    const [first, second, third] = (await storedLines()) as [Buffer, Buffer, Buffer];
    const address = await answering([whole(first), cut(second), problem(500, "INTERNAL"), whole(second, third)]);
    const controller = new AbortController();
    const seqs: number[] = [];
    const options = { follow: true, firstAnswerMs: 2000, signal: controller.signal };
    for await (const bytes of serverLines(address, "a/b", options)) {
      for (const line of splitLines(bytes)) seqs.push(parseLine(line).seq);
      if (seqs.length === 3) controller.abort();
    }
    expect(seqs).toEqual([1, 2, 3]);
    expect(address.asked.map(({ pathname }) => pathname)[0]).toBe("/api/v1/upgrades/a%2Fb/events");
    const { cursor } = parseLine(first);
    expect(address.asked.map(({ searchParams }) => searchParams.get("after"))).toEqual([null, cursor, cursor, cursor]);
    expect(address.asked.map(({ searchParams }) => searchParams.has("wait"))).toEqual([false, true, true, true]);
  });

  it("ends where the log ends when nothing is to be followed", async () => {
    const lines = await storedLines();
    const address = await answering([whole(...lines), whole()]);
    const seqs: number[] = [];
    for await (const bytes of serverLines(address, "u", { firstAnswerMs: 2000 }))
      for (const line of splitLines(bytes)) seqs.push(parseLine(line).seq);
    expect(seqs).toEqual(lines.map((_, index) => index + 1));
  });

  it("throws what the server says for good, and what goes wrong at first", async () => {
    const [first] = (await storedLines()) as [Buffer];
    const read = async (answers: readonly Answer[]) => {
      for await (const _ of serverLines(await answering(answers), "u", { follow: true, firstAnswerMs: 500 }));
    };
    await expect(read([whole(first), problem(410, "CURSOR_GONE")])).rejects.toMatchObject({ code: "CURSOR_GONE" });
    await expect(read([problem(404, "UNKNOWN_UPGRADE")])).rejects.toMatchObject({ code: "UNKNOWN_UPGRADE" });
    await expect(read([cut(first)])).rejects.toThrow();
  });
});
