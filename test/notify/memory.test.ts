import { describe, expect, it, onTestFinished } from "vitest";

import { Delivery, NotifierCheck, requestRedrive, systemDeliveryClock } from "../../src/notify/delivery.ts";
import { deliveryReports } from "../../src/notify/delivery/report.ts";
import type { Notifier } from "../../src/notify/notifier.ts";
import { slack } from "../../src/notify/slack.ts";
import { webhook } from "../../src/notify/webhook.ts";
import { silentLogger } from "../../src/tracker/logger.ts";
import { manualClock } from "../manual-clock.ts";
import { bench, IDS, reportOn, until, type Bench } from "./delivery-kit.ts";
import { receiver } from "./receivers.ts";
import { DELIVERED, manualDeliveryClock, RETRY, scriptedNotifier } from "./scripted-notifier.ts";
import { slackServer, TOKEN } from "./slack-server.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** Tells all there is by a delivery of its own, as another process would. */
async function tellAll({ storage, tracker }: Bench, notifier: Notifier): Promise<void> {
  await tracker.flush();
  const clock = systemDeliveryClock;
  const check = new NotifierCheck({ notifier, clock, random: Math.random, logger: silentLogger });
  const delivery = new Delivery({ notifier, storage, upgradeId: IDS.upgradeId, check });
  onTestFinished(() => delivery.close());
  delivery.start();
  await delivery.drain(5_000);
  await delivery.close();
}

describe("what a notifier keeps with its delivery", () => {
  it("is there again after a restart, by run, and is stored when `keep` resolves", async () => {
    const b = bench();
    const seen: (string | undefined)[] = [];
    const telling = (): Notifier => ({
      ...scriptedNotifier("scripted"),
      notify: async ({ events, state }, { memory }) => {
        seen.push(memory?.text);
        await memory?.keep(`run ${state.run}`);
        const record = await b.storage.deliveries(IDS.upgradeId).load("scripted");
        expect(JSON.parse(record ?? "")).toMatchObject({ memory: { [state.run]: `run ${state.run}` } });
        return events.map(() => DELIVERED);
      },
    });
    b.tracker.startUpgrade();
    await tellAll(b, telling());
    b.tracker.completeUpgrade();
    await tellAll(b, telling());
    b.tracker.startUpgrade();
    await tellAll(b, telling());
    b.tracker.setCurrentPhase("Nodes");
    await tellAll(b, telling());
    expect(seen).toEqual([undefined, "run 1", undefined, "run 2"]);
  });

  it("late, from a call that is over, harms nothing: what became of the events is stored all the same", async () => {
    const b = bench();
    const clock = manualDeliveryClock();
    const notifier = scriptedNotifier("scripted", { clock });
    let late: (() => Promise<void>) | undefined;
    notifier.notify = (batch, { memory }) => {
      if (late !== undefined) return Promise.resolve(batch.events.map(() => DELIVERED));
      late = () => memory?.keep("late") ?? Promise.resolve();
      return new Promise(() => undefined);
    };
    reportOn(b.tracker, ["a"], 2);
    const delivery = b.deliver(notifier, { clock, timeoutMs: 1_000 });
    await until(() => late !== undefined);
    clock.pass(1_001);
    await until(() => delivery.status.state === "idle");
    await late?.();
    clock.pass(300_000);
    await until(() => delivery.status.isSettled);
    await delivery.close();
    const record = JSON.parse((await b.storage.deliveries(IDS.upgradeId).load("scripted")) ?? "") as object;
    expect(record).toMatchObject({ memory: { 1: "late" }, lanes: [] });
    expect(await b.deadLetters()).toEqual([]);
  });

  it("the card of Slack: a restart edits the same one", async () => {
    const b = bench();
    const server = await slackServer();
    const bot = (): Notifier => {
      const clock = manualClock();
      const sleep = async (ms: number): Promise<void> => clock.pass(ms);
      const own = { token: TOKEN, channel: "C1", slackApiUrl: server.api, allowedAddresses: ["127.0.0.1"] };
      return slack({ ...own, clock, sleep });
    };
    b.tracker.startUpgrade();
    await tellAll(b, bot());
    b.tracker.addTask("a", "A");
    b.tracker.startTask("a");
    await tellAll(b, bot());
    b.tracker.completeUpgrade();
    await tellAll(b, bot());
    const [card, end] = server.messages;
    expect([server.messages.length, card?.edits, card?.thread, end?.thread]).toEqual([2, 2, undefined, card?.ts]);
    expect(await b.deadLetters()).toEqual([]);
  });
});

describe("a receiver that wants nothing more (N03: 410)", () => {
  it("is sent nothing after that, over restarts, until somebody asks for a redrive", async () => {
    const b = bench();
    let status = 204;
    const { origin, requests } = await receiver((_, response) => response.writeHead(status).end());
    const posts = (): number => requests.filter(({ method }) => method === "POST").length;
    const hook = (): Notifier => webhook({ url: origin, secrets: [SECRET], allowedAddresses: ["127.0.0.1"] });
    b.tracker.startUpgrade();
    await tellAll(b, hook());
    const before = posts();
    status = 410;
    b.tracker.setCurrentPhase("Nodes");
    // It has to be asked once, by a process that did not find that out before.
    const first = new Delivery({ notifier: hook(), storage: b.storage, upgradeId: IDS.upgradeId });
    first.start();
    await first.drain(5_000);
    await first.close();
    expect(posts()).toBe(before + 1);
    const asked = requests.length;
    for (const phase of ["Validation", "Cleanup"]) {
      b.tracker.setCurrentPhase(phase);
      await tellAll(b, hook());
    }
    expect(requests).toHaveLength(asked);
    const store = b.storage.deliveries(IDS.upgradeId);
    const [report] = await deliveryReports(store);
    expect(report?.stopped).toMatchObject({ code: "HTTP_410" });
    expect((await b.deadLetters()).map(({ code }) => code)).toEqual(["HTTP_410", "STOPPED", "STOPPED"]);
    status = 204;
    await requestRedrive(store, "webhook", new Date().toISOString());
    await tellAll(b, hook());
    expect(posts()).toBe(before + 4);
    b.tracker.setCurrentPhase("End");
    await tellAll(b, hook());
    expect(posts()).toBe(before + 5);
    expect((await deliveryReports(store))[0]).toMatchObject({ deadLetters: 0 });
    expect((await deliveryReports(store))[0]?.stopped).toBeUndefined();
  });

  it("still gone when it is asked again: once for each redrive", async () => {
    const b = bench();
    const { origin, requests } = await receiver((_, response) => response.writeHead(410).end());
    const hook = webhook({ url: origin, secrets: [SECRET], allowedAddresses: ["127.0.0.1"] });
    reportOn(b.tracker, ["a"], 20);
    const tell = async (): Promise<void> => {
      const delivery = new Delivery({ notifier: hook, storage: b.storage, upgradeId: IDS.upgradeId });
      delivery.start();
      await delivery.drain(5_000);
      await delivery.close();
    };
    await tell();
    const first = requests.length;
    // What was under way with the first one.
    expect(first).toBeLessThanOrEqual(64);
    const count = (await b.deadLetters()).length;
    expect(count).toBe(b.tracker.progress.seq);
    await requestRedrive(b.storage.deliveries(IDS.upgradeId), "webhook", new Date().toISOString());
    await tell();
    expect(requests.length).toBeLessThanOrEqual(2 * first);
    expect((await deliveryReports(b.storage.deliveries(IDS.upgradeId)))[0]?.deadLetters).toBe(count);
  });
});

it("a lane that waits is tried at once by a delivery that is eager", async () => {
  const b = bench();
  const notifier = scriptedNotifier("scripted");
  notifier.answer = () => ({ ...RETRY, retryAfterMs: 3_600_000 });
  reportOn(b.tracker, ["a"], 1);
  const first = b.deliver(notifier);
  await until(() => first.status.waiting > 0);
  await first.close();
  notifier.answer = () => DELIVERED;
  const patient = b.deliver(notifier);
  await until(() => patient.status.state === "idle");
  expect(patient.status).toMatchObject({ waiting: 2, isSettled: false });
  await patient.close();
  const eager = b.deliver(notifier, { isEager: true });
  await until(() => eager.status.isSettled);
  expect(notifier.taken).toHaveLength(b.tracker.progress.seq);
});
