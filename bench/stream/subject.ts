/** One server that is measured, in a process of its own: `node subject.ts <name>`. */

import { createServer as createHttpServer, type ServerResponse } from "node:http";
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from "node:net";

import { memory, ProgressTracker } from "milepost";
import { Server as SocketIo } from "socket.io";
import { WebSocketServer, type WebSocket } from "ws";

import { STAMP, stamp } from "./messages.ts";

/** Sends what has been published: `batch` events, in as few writes as the subject knows how. */
interface Subject {
  readonly port: number;
  publish(batch: number): void;
}

type SubjectRequest =
  | { readonly id: number; readonly type: "publish"; readonly events: number; readonly batch: number }
  | { readonly id: number; readonly type: "pace"; readonly perSecond: number; readonly seconds: number }
  | { readonly id: number; readonly type: "cpu" }
  | { readonly id: number; readonly type: "memory" };

export type SubjectName = "milepost" | "raw" | "ws" | "socket.io" | "sse";

/** An event as the log has it, of the same size as those that the tracker makes. */
function eventText(): string {
  return `{"seq":1000,"cursor":"k3v9x0q2m8a1.b7d4e6f8.1000","ms":123456,"id":"0195f000-7a00-7000-8000-000000000000","type":"task.progressed","time":"2026-11-23T15:00:00.000Z","upgradeId":"bench","taskId":"task-1","status":"in_progress","attempt":1,"percentage":42,"message":"${STAMP}${stamp()}","details":{"nodes":3},"crc":"00000000"}`;
}

function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}

async function milepost(): Promise<Subject> {
  const tracker = new ProgressTracker({
    upgradeId: "bench",
    planId: "plan",
    clusterName: "cluster",
    storage: memory(),
    enableWebsocket: true,
    websocketPort: 0,
  });
  tracker.startUpgrade();
  tracker.addTask("task-1", "Drain nodes");
  await tracker.startWebsocketServer();
  return {
    port: tracker.websocket.getServerInfo().port,
    publish: (batch) => {
      for (let index = 0; index < batch; index++)
        tracker.updateTaskProgress("task-1", index % 100, `${STAMP}${stamp()}`, { nodes: 3 });
    },
  };
}

async function raw(): Promise<Subject> {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  return {
    port: await listen(server),
    publish: (batch) => {
      const frames = Array.from({ length: batch }, () => frame(eventText()));
      const bytes = batch === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
      for (const socket of sockets) socket.write(bytes);
    },
  };
}

async function ws(): Promise<Subject> {
  const http = createHttpServer();
  const clients = new Set<WebSocket>();
  new WebSocketServer({ server: http, perMessageDeflate: false, clientTracking: false }).on("connection", (client) => {
    clients.add(client);
    client.on("error", () => undefined).on("close", () => clients.delete(client));
    // As any server of a stream does: how things stand, first.
    client.send(eventText());
  });
  return {
    port: await listen(http),
    publish: (batch) => {
      for (let index = 0; index < batch; index++) {
        const text = eventText();
        for (const client of clients) client.send(text);
      }
    },
  };
}

async function socketIo(): Promise<Subject> {
  const http = createHttpServer();
  const io = new SocketIo(http, { transports: ["websocket"], serveClient: false });
  return {
    port: await listen(http),
    publish: (batch) => {
      for (let index = 0; index < batch; index++) io.emit("event", JSON.parse(eventText()));
    },
  };
}

async function sse(): Promise<Subject> {
  const clients = new Set<ServerResponse>();
  const http = createHttpServer((_request, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
    clients.add(response);
    response.on("close", () => clients.delete(response));
  });
  return {
    port: await listen(http),
    publish: (batch) => {
      for (let index = 0; index < batch; index++) {
        const text = `data: ${eventText()}\n\n`;
        for (const client of clients) client.write(text);
      }
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1024 }, () => resolve((server.address() as AddressInfo).port));
  });
}

const SUBJECTS: Readonly<Record<SubjectName, () => Promise<Subject>>> = {
  milepost,
  raw,
  ws,
  "socket.io": socketIo,
  sse,
};

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function handle(subject: Subject, request: SubjectRequest): Promise<unknown> {
  if (request.type === "cpu") {
    const { user, system } = process.cpuUsage();
    return user + system;
  }
  if (request.type === "memory") {
    globalThis.gc?.();
    await turn();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, heap: heapUsed + external };
  }
  if (request.type === "publish") {
    for (let sent = 0; sent < request.events; sent += request.batch) {
      subject.publish(request.batch);
      await turn();
    }
    return request.events;
  }
  if (request.type !== "pace") throw new Error("unknown request");
  // By the clock: what is late goes out with the next, and counts as late.
  const began = performance.now();
  const total = request.perSecond * request.seconds;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * request.perSecond));
    if (due > sent) subject.publish(due - sent);
    sent = Math.max(sent, due);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return total;
}

const name = process.argv[2] as SubjectName;
const subject = await SUBJECTS[name]();
process.on("message", (request: SubjectRequest) => {
  void handle(subject, request).then((answer) => process.send?.({ id: request.id, answer }));
});
process.on("disconnect", () => process.exit());
process.send?.({ id: 0, answer: subject.port });
