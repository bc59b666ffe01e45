import { setTimeout as sleep } from "node:timers/promises";

import { expect, it, onTestFinished } from "vitest";

import { Delivery } from "../../src/notify/delivery.ts";
import { EventBridgeNotifier } from "../../src/notify/eventbridge.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { memory } from "../../src/storage/memory.ts";
import { randomOf } from "../faults/child.ts";
import { awsEndpoint } from "./aws-endpoint.ts";
import { IDS, reportOn, until } from "./delivery-kit.ts";
import { detailOf, entriesOf } from "./event-bus.ts";
import { manualDeliveryClock } from "./scripted-notifier.ts";

interface Sent {
  readonly seq: number;
  readonly key: string;
  readonly request: number;
  readonly became: "taken" | "later" | "refused";
}

it("of batches that a bus takes in part only what it did not take is sent again, behind nothing of its task (N05)", async () => {
  // In memory: what the disk takes is no part of this.
  const storage = memory();
  const tracker = new ProgressTracker({ ...IDS, storage });
  onTestFinished(() => tracker.close());
  reportOn(
    tracker,
    Array.from({ length: 40 }, (_, n) => `t${n}`),
    32,
  );
  const last = tracker.progress.seq;
  const endpoint = await awsEndpoint();
  const random = randomOf(3);
  const sent: Sent[] = [];
  let partial = 0;
  let request = 0;
  endpoint.reply = (one) => {
    request += 1;
    const Entries = entriesOf(one).map((entry) => {
      const { seq, taskId = "" } = detailOf(entry) as { seq: number; taskId?: string };
      const became = seq % 97 === 0 ? "refused" : random() < 0.2 ? "later" : "taken";
      sent.push({ seq, key: taskId, request, became });
      if (became === "taken") return { EventId: `${seq}` };
      const code = became === "refused" ? "MalformedDetail" : ["ThrottlingException", "InternalFailure"][seq % 2];
      return { ErrorCode: code, ErrorMessage: "not now" };
    });
    const FailedEntryCount = Entries.filter((entry) => "ErrorCode" in entry).length;
    if (FailedEntryCount > 0 && FailedEntryCount < Entries.length) partial += 1;
    return { body: { FailedEntryCount, Entries } };
  };
  const clock = manualDeliveryClock();
  const notifier = new EventBridgeNotifier({ busName: "upgrade-events" });
  let calls = 0;
  const notify = notifier.notify.bind(notifier);
  notifier.notify = async (...args) => {
    calls += 1;
    return notify(...args).finally(() => (calls -= 1));
  };
  const delivery = new Delivery({ notifier, storage, upgradeId: IDS.upgradeId, clock });
  onTestFinished(() => delivery.close());
  onTestFinished(() => notifier.close());
  delivery.start();
  const settled = (): Set<number> => new Set(sent.filter(({ became }) => became !== "later").map(({ seq }) => seq));
  for (let seen = -1; settled().size < last;) {
    // Nothing is under way: what waits, waits for time.
    if (request === seen && calls === 0) clock.pass(3_600_000);
    seen = request;
    await sleep(4);
  }
  expect(partial).toBeGreaterThanOrEqual(100);

  const taken = sent.filter(({ became }) => became === "taken").map(({ seq }) => seq);
  expect(new Set(taken).size).toBe(taken.length);
  for (const [seq, times] of Map.groupBy(sent, ({ seq }) => seq))
    expect(
      `${seq}: ${times
        .slice(0, -1)
        .map(({ became }) => became)
        .join()}`,
    ).toMatch(/^\d+: (later,?)*$/);
  const letters = () => storage.deliveries(IDS.upgradeId).readDeadLetters(0, 10_000_000);
  await until(async () => (await letters()).lines.length === Math.floor(last / 97));

  // A request may hold several events of a task, of which the bus takes a later one; in another request none goes before it.
  for (const ofKey of Map.groupBy(sent, ({ key }) => key).values()) {
    const tries = Map.groupBy(ofKey, ({ seq }) => seq);
    for (const { seq, request: at } of ofKey)
      for (const [earlier, requests] of tries) {
        const [first = 0, settledAt = 0] = [requests[0]?.request, requests.at(-1)?.request];
        const waits = earlier < seq && first < at && at < settledAt;
        const isInIt = requests.some((one) => one.request === at);
        expect(waits && !isInIt, `request ${at}: ${seq} before ${earlier}`).toBe(false);
      }
  }
}, 60_000);
