/** A TCP proxy that cuts its connections at random: in order, by reset, in the middle of a frame, or by falling silent. */

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

const CUTS = ["end", "reset", "mid-frame", "silence"] as const;
export type Cut = (typeof CUTS)[number];

/** Gives numbers from 0 to 1, the same ones for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface ProxyOptions {
  /** Where the server is now. */
  readonly port: () => number;
  readonly random: () => number;
  /** A connection lives for up to so long. */
  readonly maxLifeMs?: number;
  /** How long a connection that has fallen silent is left so. */
  readonly silenceMs?: number;
}

export class CuttingProxy {
  readonly #options: Required<ProxyOptions>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly counts: Record<Cut, number> = { end: 0, reset: 0, "mid-frame": 0, silence: 0 };
  connections = 0;
  isCutting = true;

  constructor({ maxLifeMs = 2_000, silenceMs = 1_000, ...options }: ProxyOptions) {
    this.#options = { ...options, maxLifeMs, silenceMs };
    this.#server = createServer({ noDelay: true }, (socket) => this.#join(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen({ port: 0, host: "127.0.0.1" }, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: Socket): void {
    const { port, random, maxLifeMs, silenceMs } = this.#options;
    this.connections += 1;
    const server = connect({ port: port(), host: "127.0.0.1", noDelay: true });
    const cut = CUTS[Math.floor(random() * CUTS.length)] as Cut;
    const pair = [client, server];
    let isMute = false;
    let isLast = false;
    const end = (): void => {
      for (const socket of pair) {
        if (cut === "reset") socket.resetAndDestroy();
        else socket.destroy();
      }
    };
    for (const [from, to] of [pair, [...pair].reverse()] as [Socket, Socket][]) {
      this.#sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#sockets.delete(from);
        if (!isMute) to.destroy();
      });
      from.on("data", (bytes: Buffer) => {
        if (isMute) return;
        if (!isLast || from === client) return void to.write(bytes);
        // A part of what came, so that a frame is cut somewhere.
        isMute = true;
        to.write(bytes.subarray(0, Math.ceil(bytes.length * random())), () => end());
      });
    }
    const timer = setTimeout(
      () => {
        if (!this.isCutting || client.destroyed) return;
        this.counts[cut] += 1;
        if (cut === "mid-frame") isLast = true;
        else if (cut === "silence") {
          isMute = true;
          setTimeout(end, silenceMs);
        } else end();
      },
      100 + random() * (maxLifeMs - 100),
    );
    client.on("close", () => clearTimeout(timer));
  }
}
