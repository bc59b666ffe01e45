/** Receivers of webhooks and the like: real servers on this machine, well behaved and not. */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";

import { onTestFinished } from "vitest";

/** A request as it came. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly port: number;
  /** `http://127.0.0.1:<port>`, or https. */
  readonly origin: string;
  readonly requests: readonly Received[];
  /** So many there have been. */
  readonly connections: () => number;
  /** So many are open. */
  readonly open: () => number;
}

export type Answer = (request: Received, response: ServerResponse) => unknown;

/** An HTTP server that answers each request, once it has it whole. */
export async function receiver(answer: Answer = (_, response) => response.end()): Promise<Receiver> {
  const requests: Received[] = [];
  const server = createServer((request, response) => void take(request, { response, requests, answer }));
  return { ...(await listening(server, "http")), requests };
}

/** The same with a certificate that nobody has signed. */
export async function untrustedReceiver(): Promise<Receiver> {
  const server = createTlsServer({ key: KEY, cert: CERTIFICATE }, (_, response) => response.end());
  server.on("tlsClientError", () => undefined);
  return { ...(await listening(server, "https")), requests: [] };
}

/** A server that speaks bytes: for what no HTTP server would say. */
export async function rawReceiver(onData: (socket: Socket) => unknown): Promise<Receiver> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => onData(socket));
  });
  return { ...(await listening(server, "http")), requests: [] };
}

async function take(
  request: IncomingMessage,
  { response, requests, answer }: { response: ServerResponse; requests: Received[]; answer: Answer },
): Promise<void> {
  response.on("error", () => undefined);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    return;
  }
  const { method = "", url = "", headers } = request;
  const received = { method, url, headers, body: Buffer.concat(chunks).toString("utf8") };
  requests.push(received);
  answer(received, response);
}

async function listening(server: Server, protocol: string): Promise<Omit<Receiver, "requests">> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, origin: `${protocol}://127.0.0.1:${port}`, connections: () => connections, open: () => sockets.size };
}

// For 127.0.0.1 and localhost, made for these tests; nothing trusts it.
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQR/2de2OrJBv9HEH
YnLZdwuTLIwtNbLcKIrPjH+RY7ehRANCAATexANU46bh0SmMec+Naz0BsADLfO+t
rfEqofMqpSaeac8XSdGmLq/qF/0/0jmPbnJaac+Sg5ZDZ9H0uH2lkfEq
-----END PRIVATE KEY-----`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUOCShuJ+mi64/D7lA6imqAWhKe70wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE2NDgzMFoYDzIxMjYxMDMw
MTY0ODMwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATexANU46bh0SmMec+Naz0BsADLfO+trfEqofMqpSaeac8XSdGmLq/q
F/0/0jmPbnJaac+Sg5ZDZ9H0uH2lkfEqo28wbTAdBgNVHQ4EFgQURtI0iqxF3ENj
lHgBfo8RQAL8veIwHwYDVR0jBBgwFoAURtI0iqxF3ENjlHgBfo8RQAL8veIwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSQAwRgIhAOGO8NUrd7eSyDcTSvWnILb+yN/CsEfVKQW9+wpwB47dAiEA
9wQs+G0cTd2NTcbwnsuP/nJUOS8BCZFQyHI7FoeF2/U=
-----END CERTIFICATE-----`;
