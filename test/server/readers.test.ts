import { expect, test } from "vitest";

import { frame, PING, PONG } from "../wire/raw-client.ts";
import { served, until } from "../wire/served.ts";
import { MIB, publish, Reader, readers } from "./checked-readers.ts";

/** What goes out in one write beyond the window: a batch of the log. */
const ONE_WRITE = 256 * 1024 + 20_000;
const times = { pingIntervalMs: 25_000, pongTimeoutMs: 8_000, stallTimeoutMs: 30_000 };

test("[W5, W6] W07: ten readers that take nothing change nothing for others, cost a window each, and are cut as slow", async () => {
  const at = await served({ times, closeTimeoutMs: 200 });
  const stalled = await readers(at, 10);
  for (const { client } of stalled) client.stall();
  const readBefore = stalled.map(({ client }) => client.socket.bytesRead);
  const well = await readers(at, 5);
  const peak = await publish(at, 15);
  for (const reader of well) await reader.at(() => at.kept.end);
  for (const { ledger } of well) expect(ledger.counts).toMatchObject({ events: 1_500, skipped: 0, snapshots: 1 });
  // The system holds what this process does not; together they are no more than a window and one write.
  expect(peak).toBeLessThanOrEqual(MIB + ONE_WRITE);
  expect(at.server.clientCount).toBe(15);
  // Not before the time is over.
  at.clock.pass(1_500);
  await new Promise((resolve) => setTimeout(resolve, 600));
  at.clock.pass(times.stallTimeoutMs - 2_000);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(at.hub.counters.cutSlow).toBe(0);
  at.clock.pass(4_000);
  await until("the stalled ones are cut", () => at.hub.counters.cutSlow === 10);
  await until("and gone", async () => (await at.connections()) === 5);
  await until("and counted out", () => at.server.clientCount === 5);
  for (const [index, { client }] of stalled.entries()) {
    client.resume();
    await client.over();
    const bytes = client.socket.bytesRead - (readBefore[index] as number);
    expect(bytes).toBeLessThanOrEqual(MIB + ONE_WRITE);
    expect(client.trouble).toBeUndefined();
  }
  at.kept.report();
  for (const reader of well) await reader.at(() => at.kept.end);
  for (const { client } of [...stalled, ...well]) client.destroy();
});

test("one that is cut and reads again learns why, and may come back", async () => {
  const at = await served({ times, closeTimeoutMs: 10_000 });
  const [reader] = (await readers(at, 1)) as [Reader];
  reader.client.stall();
  await publish(at, 12);
  at.clock.pass(1_500);
  await new Promise((resolve) => setTimeout(resolve, 600));
  at.clock.pass(times.stallTimeoutMs + 1_000);
  await until("cut", () => at.hub.counters.cutSlow === 1);
  reader.client.resume();
  await reader.client.until(() => reader.client.closeCode !== undefined);
  expect(reader.client.closeCode).toBe(4408);
  expect(reader.client.trouble).toBeUndefined();
  const again = new Reader(at, reader.ledger.cursor);
  await again.at(() => at.kept.end);
  expect(again.ledger.counts).toMatchObject({ recoveries: 1, snapshots: 0 });
  reader.client.destroy();
  again.client.destroy();
});

test("[W4] a slow reader is told the stretch by few events, and ends in the exact state", async () => {
  const at = await served({ times });
  const [reader] = (await readers(at, 1)) as [Reader];
  reader.client.stall();
  await publish(at, 20);
  reader.client.resume();
  await reader.at(() => at.kept.end);
  expect(reader.ledger.counts.skipped).toBeGreaterThan(0);
  expect(reader.ledger.counts.events).toBeLessThan(1_900);
  expect(reader.ledger.counts.snapshots).toBe(1);
  reader.client.destroy();
});

test("[W5] one that answers pings without reading costs no more than a window", async () => {
  const at = await served({ times });
  const [reader] = (await readers(at, 1)) as [Reader];
  reader.client.stall();
  let peak = 0;
  for (let round = 0; round < 15; round++) {
    peak = Math.max(peak, await publish(at, 1));
    for (let n = 0; n < 2_000; n++) reader.client.send(frame(String(n), { opcode: PONG }));
    at.clock.pass(5_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(peak).toBeLessThanOrEqual(MIB + ONE_WRITE);
  reader.client.destroy();
});

test("[W5] W09: a peer that has gone without a word is found within the interval and the time for an answer", async () => {
  const at = await served({ times, closeTimeoutMs: 100 });
  const [dead, well] = (await readers(at, 2)) as [Reader, Reader];
  const beat = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 600));
  // All that was sent is answered; then silence.
  at.clock.pass(1_100);
  await beat();
  dead.client.answersPings = false;
  const pings = (): number => dead.client.frames.filter(({ opcode }) => opcode === PING).length;
  const before = pings();
  at.clock.pass(times.pingIntervalMs);
  await beat();
  expect(pings()).toBe(before + 1);
  expect(at.server.clientCount).toBe(2);
  at.clock.pass(times.pongTimeoutMs + 1);
  await until("cut", () => at.hub.counters.cutDead === 1);
  await until("gone", async () => (await at.connections()) === 1);
  at.kept.report();
  await well.at(() => at.kept.end);
  for (const { client } of [dead, well]) client.destroy();
});

test("[W5] W10: an idle connection is asked every interval, and stays", async () => {
  const at = await served({ times });
  const [reader] = (await readers(at, 1)) as [Reader];
  const pings = (): number => reader.client.frames.filter(({ opcode }) => opcode === PING).length;
  at.clock.pass(1_100);
  await until("acknowledged", () => pings() >= 1);
  const before = pings();
  for (let n = 1; n <= 8; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    at.clock.pass(times.pingIntervalMs);
    await until("asked", () => pings() === before + n);
  }
  expect(at.server.clientCount).toBe(1);
  reader.client.destroy();
});
