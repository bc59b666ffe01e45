/** Real servers for tests: on port 0, over a storage of the test's own. */

import { connect } from "node:net";

import { onTestFinished } from "vitest";

import { createStorageServer, type StorageServerOptions } from "../../../src/server/storage-server.ts";
import { memory } from "../../../src/storage/memory.ts";
import type { Logger } from "../../../src/tracker/logger.ts";

export interface Served {
  readonly url: string;
  readonly port: number;
  /** What the server has logged. */
  readonly log: string[];
  get(path: string, headers?: Record<string, string>): Promise<Answered>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answered>;
  delete(path: string, headers?: Record<string, string>): Promise<Answered>;
  close(): Promise<void>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test reads JSON whose shape it then asserts
  readonly json: any;
}

/** A server that is closed when the present test has ended. */
export async function serve(options: Partial<StorageServerOptions> = {}): Promise<Served> {
  const log: string[] = [];
  const tell = (message: string): void => void log.push(message);
  const logger: Logger = { info: tell, warn: tell, error: tell };
  const server = createStorageServer({ storage: memory(), port: 0, logger, ...options });
  const { port } = await server.listen();
  onTestFinished(() => server.close());
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    log,
    get: (path, headers = {}) => answered(fetch(url + path, { headers })),
    delete: (path, headers = {}) => answered(fetch(url + path, { method: "DELETE", headers })),
    post: (path, body, headers = {}) =>
      answered(
        fetch(url + path, {
          method: "POST",
          headers: { "Content-Type": "application/json", ...headers },
          body: typeof body === "string" ? body : JSON.stringify(body),
        }),
      ),
    close: () => server.close(),
  };
}

async function answered(fetched: Promise<Response>): Promise<Answered> {
  const answer = await fetched;
  const text = await answer.text();
  const isJson = /json$/.test(answer.headers.get("content-type") ?? "") && text !== "" && !text.includes("\n");
  return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

const SILENCE_MS = 300;

/** Sends bytes as they are; gives back what comes until the connection ends, or is silent for a while after its last byte. */
export function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    let timer: NodeJS.Timeout | undefined;
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    socket.setEncoding("utf8");
    socket.on("data", (piece: string) => {
      received += piece;
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE_MS);
    });
    socket.on("close", end);
    socket.on("error", end);
    socket.setTimeout(8_000, end);
  });
}

/** An upgrade with one task, begun over HTTP. */
export async function begun(server: Served, upgradeId = "u1", headers: Record<string, string> = {}): Promise<void> {
  const { status, text } = await server.post(
    "/api/v1/upgrades",
    { upgradeId, clusterName: "prod", tasks: [{ taskId: "t1", taskName: "Drain" }] },
    headers,
  );
  if (status !== 201) throw new Error(text);
}
