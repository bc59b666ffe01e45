/** A TCP proxy whose way to the client is slow: so many bytes a second, until it is let go. */

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

const EVERY_MS = 20;

export interface SlowProxyOptions {
  /** Where the server is. */
  readonly port: number;
  readonly bytesPerSecond: number;
}

export class SlowProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #bytesPerTick: number;
  /** Bytes that have come out of it, to all clients. */
  sentBytes = 0;

  constructor({ port, bytesPerSecond }: SlowProxyOptions) {
    this.#bytesPerTick = Math.max(1, (bytesPerSecond * EVERY_MS) / 1_000);
    this.#server = createServer((client) => this.#join(client, connect(port, "127.0.0.1")));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen({ port: 0, host: "127.0.0.1" }, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** As fast as it can from now on. */
  letGo(): void {
    this.#bytesPerTick = Infinity;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
    }
    client.pipe(server);
    const timer = setInterval(() => {
      // Not read ahead: what does not come out stays with the server and its system.
      const bytes = server.read(Math.min(this.#bytesPerTick, server.readableLength)) as Buffer | null;
      if (bytes === null || client.destroyed) return;
      this.sentBytes += bytes.length;
      client.write(bytes);
    }, EVERY_MS);
    client.on("close", () => clearInterval(timer));
  }
}
