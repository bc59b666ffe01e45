import { expect, onTestFinished, test } from "vitest";

import { SlowProxy } from "../wire/slow-proxy.ts";
import { served, until } from "../wire/served.ts";
import { MIB, Reader, readers } from "./checked-readers.ts";

const SECONDS = process.env["MILEPOST_LONG"] === "1" ? 60 : 2;
const times = { pingIntervalMs: 25_000, pongTimeoutMs: 8_000, stallTimeoutMs: 30_000 };

test("[W4, W6] W08: a link of 1 kB/s amid 1,000 updates a second costs a window, changes nothing for others, and ends in the exact state", async () => {
  const at = await served({ times });
  const proxy = new SlowProxy({ port: at.port, bytesPerSecond: 1_000 });
  onTestFinished(() => proxy.close());
  const slow = new Reader({ ...at, port: await proxy.listen() });
  const well = await readers(at, 3);
  const begun = performance.now();
  let reported = 0;
  let queued = 0;
  // Each update is large enough to fill every buffer on the way soon.
  for (let due = 0; due < SECONDS * 1_000; due = Math.min(SECONDS, (performance.now() - begun) / 1_000) * 1_000) {
    for (; reported < due; reported += 10) at.kept.report(10, SECONDS > 10 ? 200 : 4_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    queued = Math.max(queued, at.queuedBytes());
  }
  for (const reader of well) await reader.at(() => at.kept.end);
  for (const { ledger } of well) expect(ledger.counts).toMatchObject({ events: reported, skipped: 0, snapshots: 1 });
  const sentBytes = proxy.sentBytes;
  expect(sentBytes).toBeLessThan(1_000 * (SECONDS + 30));
  expect(slow.ledger.counts.events).toBeLessThan(reported / 2);
  // A window, and one write.
  expect(queued).toBeLessThanOrEqual(MIB + 276_000);
  proxy.letGo();
  await slow.at(() => at.kept.end);
  console.log(
    `W08: ${reported} updates, ${sentBytes} bytes through the slow link, at most ${queued} waited; then ${JSON.stringify(slow.ledger.counts)}`,
  );
  expect(slow.ledger.counts).toMatchObject({ snapshots: 1, recoveries: 0 });
  expect(slow.ledger.counts.skipped).toBeGreaterThan(0);
  for (const { client } of [slow, ...well]) client.destroy();
  await until("all are gone", () => at.server.clientCount === 0);
});
