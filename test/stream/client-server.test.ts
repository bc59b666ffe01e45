import { expect, onTestFinished, test } from "vitest";

import { memory, ProgressTracker } from "../../src/index.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { watch, type Watched } from "../../src/stream/client.ts";
import { cuttingProxy } from "./client/cutting-proxy.ts";
import { forThisTest, next, nextStatus } from "./client/reading.ts";

const CHANNEL = "upgrade:upgrade-123";
/** Comes back soon, and the server may take its time to come up. */
const SOON = { backoff: { minMs: 5, maxMs: 20 } };

async function served() {
  const tracker = new ProgressTracker({
    upgradeId: "upgrade-123",
    planId: "plan-456",
    clusterName: "my-cluster",
    storage: memory(),
    enableWebsocket: true,
    websocketPort: 0,
  });
  onTestFinished(async () => void (await tracker.close()));
  await tracker.startWebsocketServer();
  return { tracker, port: () => tracker.websocket.getServerInfo().port };
}

/** Reports now and then a few events, at least `count` of them and until `isEnough`; then completes. */
async function report(tracker: ProgressTracker, count: number, isEnough = () => true): Promise<void> {
  tracker.addTask("a", "A");
  for (let n = 0; n < count || !isEnough(); n++) {
    tracker.updateTaskProgress("a", n % 100, `report ${n}`);
    if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  tracker.completeUpgrade();
}

async function toTheEnd(url: string): Promise<Watched[]> {
  const shown: Watched[] = [];
  for await (const item of watch(url, { channel: CHANNEL, ...SOON })) {
    shown.push(item);
    if (item.state?.completedAt != null) break;
  }
  return shown;
}

/** Every event after the first state, once and in order, but for stretches that are said; and the tracker's own state at the end. */
function expectWhole(shown: readonly Watched[], tracker: ProgressTracker): void {
  let seq: number | undefined;
  for (const { state, event, conflated, reset } of shown) {
    if (event !== undefined && conflated === undefined) expect(event.seq).toBe((seq ?? 0) + 1);
    expect([reset, state?.seq]).toEqual([undefined, event?.seq ?? seq ?? state?.seq]);
    seq = state?.seq;
  }
  expect(canonicalJson(shown.at(-1)?.state)).toBe(canonicalJson(tracker.progress));
}

test("[W9] W01: views whose connections are cut anywhere, also in mid-frame, end in exactly the tracker's state, every event shown once", async () => {
  const { tracker, port } = await served();
  tracker.startUpgrade();
  let seed = 7;
  const random = (max: number) => (seed = (seed * 48_271) % 2_147_483_647) % max;
  const budgets = () => Array.from({ length: 12 }, () => 200 + random(20_000));
  const proxies = await Promise.all(Array.from({ length: 10 }, () => cuttingProxy(port, budgets())));
  const views = proxies.map(({ url }) => toTheEnd(url));
  await report(tracker, 1_000, () => proxies.every(({ cuts }) => cuts === 12));
  for (const view of await Promise.all(views)) expectWhole(view, tracker);
});

test("a view goes on without a gap when the server stops, and starts again", async () => {
  const { tracker, port } = await served();
  tracker.startUpgrade();
  const { url } = await cuttingProxy(port, []);
  const view = toTheEnd(url);
  const reported = report(tracker, 2_000);
  await tracker.stopWebsocketServer();
  await tracker.startWebsocketServer();
  await reported;
  expectWhole(await view, tracker);
});

test("the next run of an upgrade is said as a reset, and followed", async () => {
  const { tracker, port } = await served();
  tracker.startUpgrade();
  const items = forThisTest(watch(`ws://127.0.0.1:${port()}`, { channel: CHANNEL, ...SOON }));
  await nextStatus(items, "live");
  tracker.completeUpgrade();
  tracker.startUpgrade("again");
  const reset = await next(items, (item) => item.reset === true);
  expect(reset.state?.run).toBe(2);
  tracker.setCurrentPhase("second");
  const followed = await next(items, ({ event }) => event?.type === "upgrade.phase_changed");
  expect(canonicalJson(followed.state)).toBe(canonicalJson(tracker.progress));
});

test("an upgrade that is not served ends the iteration with UNKNOWN_UPGRADE", async () => {
  const { port } = await served();
  const items = forThisTest(watch(`ws://127.0.0.1:${port()}`, { channel: "upgrade:other", ...SOON }));
  const ended = (async () => {
    for await (const item of items) void item;
  })();
  await expect(ended).rejects.toMatchObject({ code: "UNKNOWN_UPGRADE" });
});
