import { Webhook } from "standardwebhooks";
import { expect, it, onTestFinished } from "vitest";

import { Delivery } from "../../src/notify/delivery.ts";
import type { Notifier } from "../../src/notify/notifier.ts";
import { slack } from "../../src/notify/slack.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { webhook } from "../../src/notify/webhook.ts";
import { manualClock } from "../manual-clock.ts";
import { bench, IDS, until, type Bench } from "./delivery-kit.ts";
import { receiver } from "./receivers.ts";
import { slackServer, textsOf, TOKEN } from "./slack-server.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const LOCAL = { allowedAddresses: ["127.0.0.1"] };

function deliver({ storage }: Bench, notifier: Notifier): void {
  const delivery = new Delivery({ notifier, storage, upgradeId: IDS.upgradeId });
  onTestFinished(() => delivery.close());
  delivery.start();
}

it("an upgrade is told to a webhook and to Slack, each at its own pace, to its end", async () => {
  const on = bench();
  const { origin, requests } = await receiver();
  const server = await slackServer();
  const clock = manualClock();
  const sleep = async (ms: number): Promise<void> => clock.pass(ms);
  deliver(on, webhook({ url: origin, secrets: [SECRET], ...LOCAL }));
  deliver(on, slack({ token: TOKEN, channel: "C1", slackApiUrl: server.api, clock, sleep, ...LOCAL }));

  const { tracker } = on;
  tracker.startUpgrade("Nodes");
  for (const task of ["a", "b", "c"]) tracker.addTask(task, task);
  for (const task of ["a", "b"]) tracker.startTask(task);
  for (const task of ["a", "b"]) tracker.completeTask(task);
  tracker.startTask("c");
  tracker.failTask("c", "no room");
  tracker.failUpgrade("one task failed");
  const { seq } = tracker.progress;

  await until(() => requests.length === seq);
  const bodies = requests.map(
    ({ headers, body }) => new Webhook(SECRET).verify(body, headers as Record<string, string>) as { data: never },
  );
  const told = bodies.map(({ data }) => (data as { event: ProgressEvent }).event);
  expect(told.map((event) => event.seq).sort((a, b) => a - b)).toEqual(
    Array.from({ length: seq }, (_, place) => place + 1),
  );
  // Tasks are told side by side; each in its order, and what is of the upgrade in its place.
  const ofKey = Map.groupBy(told, ({ taskId }) => taskId).values();
  for (const events of ofKey) expect(events).toEqual(events.toSorted((a, b) => a.seq - b.seq));
  expect([told[1]?.type, told.at(-1)?.type]).toEqual(["upgrade.started", "upgrade.failed"]);
  await until(async () => (await on.sent("slack")).length === seq);
  expect(server.calls.filter((call) => call === "post C1")).toHaveLength(1);
  const [card, ...thread] = server.messages.map(({ blocks }) => textsOf(blocks));
  expect(card).toContain("*Progress*\n66%, 2 of 3 tasks completed");
  expect(thread.join("\n")).toMatch(/❌ c failed \(0s\): no room\n❌ Upgrade up failed \(0s\): one task failed$/);
  expect(await on.deadLetters()).toEqual([]);
});
