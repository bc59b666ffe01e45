import { expect, test } from "vitest";

import { openAccess } from "../wire/open-access.ts";
import { MilepostServer } from "../../src/server/server.ts";
import { frame, RawClient } from "../wire/raw-client.ts";
import { served, until, type Served } from "../wire/served.ts";
import { publish, Reader, readers } from "./checked-readers.ts";

test("[W8] W13: a server that stops tells every client to come back, stalled ones too, and lets go of all sockets", async () => {
  const at = await served({ closeTimeoutMs: 300 });
  const all = await readers(at, 100);
  const half = new RawClient(at.port);
  half.send("GET / HTTP/1.1\r\n");
  const [stalled] = (await readers(at, 1)) as [Reader];
  stalled.client.stall();
  await publish(at, 3);
  await Promise.all(all.map((reader) => reader.at(() => at.kept.end)));
  const closing = at.server.close();
  at.kept.report(5);
  // As any client does: it answers with a close of its own.
  await Promise.all(
    all.map(async ({ client }) => {
      await client.until(() => client.closeCode !== undefined);
      client.socket.end(frame(Buffer.from([3, 233]), { opcode: 8 }));
    }),
  );
  await closing;
  expect(all.map(({ client }) => client.closeCode)).toEqual(all.map(() => 1001));
  expect(await at.connections()).toBe(0);
  await until("gone", () => at.server.clientCount === 0);
  for (const { client } of [...all, stalled]) client.destroy();
  half.destroy();
});

test("W16: a server that ends in the middle of a large snapshot; the client comes back to the next one, and has it all", async () => {
  const at = await served({ closeTimeoutMs: 50 });
  for (let n = 0; n < 8_000; n++) at.kept.tracker.addTask(`more-${n}`, "x".repeat(900));
  at.kept.tell();
  const reader = new Reader(at);
  await reader.client.until(() => reader.ledger.counts.snapshots >= 2);
  reader.client.stall();
  at.kept.report();
  await at.server.close();
  expect(reader.ledger.counts.subscribed).toBe(0);
  reader.client.destroy();
  const after = await secondServer(at);
  const again = new Reader({ ...at, port: after.port }, reader.ledger.again());
  await again.at(() => at.kept.end);
  expect(again.ledger.state?.tasks.size).toBe(8_005);
  again.client.destroy();
  await after.close();
});

/** Another server of the same hub. */
async function secondServer({ hub }: Served): Promise<{ port: number; close(): Promise<void> }> {
  const server = new MilepostServer({ hub, access: openAccess(), port: 0, http: () => () => undefined });
  const { port } = await server.listen();
  return { port, close: () => server.close() };
}
