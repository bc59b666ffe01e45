/** Milepost's WebSocket door with a client that says back what it hears: what a conformance suite talks to. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

import type { WebSocket } from "ws";

import { closeCode } from "../../src/stream/protocol.ts";
import { systemClock } from "../../src/tracker/clock.ts";
import { silentLogger } from "../../src/tracker/logger.ts";
import { newCounters } from "../../src/stream/counters.ts";
import { openAccess } from "../wire/open-access.ts";
import { Pulse } from "../../src/server/pulse.ts";
import { LINK_TIMES, WebSocketLink } from "../../src/server/websocket-link.ts";
import { WebSockets, type Connection } from "../../src/server/websockets.ts";

export interface EchoServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function echoServer(limits: { maxMessageBytes: number; maxFragments: number }): Promise<EchoServer> {
  const sockets = new WebSockets({
    access: openAccess(),
    pulse: new Pulse(systemClock),
    logger: silentLogger,
    connect: echo,
    ...limits,
  });
  const http = createServer();
  http.on("upgrade", (request, socket, head) => void sockets.upgrade(request, socket, head));
  await new Promise<void>((resolve) => http.listen({ port: 0, host: "127.0.0.1" }, resolve));
  return {
    port: (http.address() as AddressInfo).port,
    close: async () => {
      sockets.terminateAll();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** Text goes back as the server sends everything: framed here and written to the socket below `ws`. */
function echo(socket: WebSocket, raw: Duplex): Connection {
  const context = { times: LINK_TIMES, counters: newCounters(), clock: systemClock };
  const link = new WebSocketLink(raw, context, { close: () => socket.terminate() });
  return {
    begin: () => Promise.resolve(),
    receive: (data, isBinary) => {
      link.heard();
      if (isBinary) socket.send(data, { binary: true });
      else link.write(link.encoding.text("pong", undefined, data.toString("utf8")), 1);
    },
    pong: (data) => link.pong(data.toString("latin1")),
    tick: (now) => link.tick(now),
    close: (code) => socket.close(closeCode(code)),
    ended: () => link.close(),
  };
}
