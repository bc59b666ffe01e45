/** A server process over a data folder: `chaos-server.ts <folder>`. Says its port; is killed when it is time. */

import { openAccess } from "./open-access.ts";
import { MilepostServer } from "../../src/server/server.ts";
import { storageUpgrades } from "../../src/server/storage-upgrades.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { Hub } from "../../src/stream/hub.ts";

const [path = ""] = process.argv.slice(2);
const upgrades = storageUpgrades(jsonLines({ path }));
const hub = new Hub({ upgrades, lookIntervalMs: 500 });
const server = new MilepostServer({
  hub,
  access: openAccess(),
  port: 0,
  http: () => (_request, response) => void response.writeHead(426).end(),
  times: { pingIntervalMs: 500, pongTimeoutMs: 500, stallTimeoutMs: 1_500 },
  budget: { maxLagBytes: 64 * 1024, maxLagMs: 1_000 },
});
const { port } = await server.listen();
process.on("uncaughtException", (error) => {
  process.stdout.write(`died ${String(error.stack).replaceAll("\n", " | ")}\n`);
  process.exit(1);
});
process.stdout.write(`port ${port}\n`);
