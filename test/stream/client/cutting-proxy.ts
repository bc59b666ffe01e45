/** A proxy between client and server that cuts each connection after so many bytes, wherever in a frame that is. */

import { connect, createServer, type AddressInfo, type Server } from "node:net";

import { onTestFinished } from "vitest";

export interface CuttingProxy {
  readonly url: string;
  /** Connections that were cut. */
  readonly cuts: number;
}

/**
 * @param port - of the server, asked for at each connection.
 * @param budgets - bytes to the client before each cut, one connection after the other; those after the last are left alone.
 */
export async function cuttingProxy(port: () => number, budgets: readonly number[]): Promise<CuttingProxy> {
  const left = [...budgets];
  let cuts = 0;
  const server: Server = createServer((client) => {
    const upstream = connect(port(), "127.0.0.1");
    let budget = left.shift() ?? Number.POSITIVE_INFINITY;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
    client.pipe(upstream);
    upstream.on("data", (bytes: Buffer) => {
      if (bytes.length < budget) client.write(bytes);
      else if (budget > 0) {
        cuts += 1;
        client.write(bytes.subarray(0, budget), () => client.resetAndDestroy());
      }
      budget = Math.max(0, budget - bytes.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
  };
}
