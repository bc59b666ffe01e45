import { describe, expect, it, onTestFinished } from "vitest";

import { Delivery, NotifierCheck } from "../../src/notify/delivery.ts";
import { deliveryReports } from "../../src/notify/delivery/report.ts";
import { EventBridgeNotifier } from "../../src/notify/eventbridge.ts";
import { MilepostError } from "../../src/errors.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { tempFolder } from "../temp-folder.ts";
import { bench, expectRestTold, IDS, reportOn, until } from "./delivery-kit.ts";
import { keptLogger } from "./kept-logger.ts";
import { manualDeliveryClock, scriptedNotifier } from "./scripted-notifier.ts";

const NO_TOKEN = new MilepostError("NOTIFIER_UNUSABLE", "Slack does not take this token: invalid_auth");

/** A notifier that says so of itself, and how often it was asked. */
function checked(clock = manualDeliveryClock()) {
  const notifier = scriptedNotifier("scripted", { clock });
  const asked: number[] = [];
  let answer: () => Promise<void> = async () => undefined;
  notifier.check = () => {
    asked.push(clock.monotonic());
    return answer();
  };
  const logger = keptLogger();
  const check = new NotifierCheck({ notifier, clock, random: () => 0.5, logger });
  return {
    clock,
    notifier,
    check,
    asked,
    lines: logger.lines,
    answers: (next: () => Promise<void>) => (answer = next),
  };
}

describe("whether a notifier can tell", () => {
  it("is asked once for all its deliveries, before it is told anything, and said", async () => {
    const [one, two] = [bench(), bench()];
    const { notifier, check, asked, lines, clock } = checked();
    for (const b of [one, two]) {
      reportOn(b.tracker, ["a"], 3);
      b.deliver(notifier, { check, clock });
    }
    await until(() => notifier.taken.length === one.tracker.progress.seq + two.tracker.progress.seq);
    expect(asked).toHaveLength(1);
    expect(lines).toEqual(["info scripted is ready"]);
  });

  it("not: it is said once, stands in the record, and nothing is told or lost until it can", async () => {
    const b = bench();
    const { notifier, check, asked, lines, clock, answers } = checked();
    answers(() => Promise.reject(NO_TOKEN));
    const delivery = b.deliver(notifier, { check, clock });
    reportOn(b.tracker, ["a"], 3);
    await until(() => delivery.status.state === "unusable");
    for (let minute = 0; minute < 60; minute++) {
      clock.pass(60_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(notifier.calls).toEqual([]);
    expect(lines).toEqual([`warn scripted is not told anything until this is put right: ${NO_TOKEN.message}`]);
    // Ever more rarely, but not never.
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.length).toBeLessThan(25);
    const [report] = await deliveryReports(b.storage.deliveries(IDS.upgradeId));
    expect(report?.check).toMatchObject({ code: "NOTIFIER_UNUSABLE", message: NO_TOKEN.message });
    expect(await delivery.drain(60_000)).toBe(false);
    answers(async () => undefined);
    clock.pass(600_000);
    await until(() => notifier.taken.length === b.tracker.progress.seq);
    expect(lines.at(-1)).toBe("info scripted is ready now");
    expect(await b.deadLetters()).toEqual([]);
    await until(async () => (await deliveryReports(b.storage.deliveries(IDS.upgradeId)))[0]?.check?.code === undefined);
  });

  it("not any more, after a restart: that stands in the record too, also before there is news", async () => {
    const b = bench();
    reportOn(b.tracker, ["a"], 1);
    const before = b.deliver(scriptedNotifier("scripted"));
    await until(() => before.status.isSettled);
    await before.close();
    const { notifier, check, clock, answers } = checked();
    answers(() => Promise.reject(NO_TOKEN));
    const delivery = b.deliver(notifier, { check, clock });
    await until(() => delivery.status.state === "unusable");
    const [report] = await deliveryReports(b.storage.deliveries(IDS.upgradeId));
    expect(report?.check?.message).toBe(NO_TOKEN.message);
  });

  it("is not waited for beyond ten seconds", async () => {
    const b = bench();
    reportOn(b.tracker, ["a"], 1);
    const { notifier, check, clock, answers } = checked();
    answers(() => new Promise(() => undefined));
    const delivery = b.deliver(notifier, { check, clock });
    await until(() => clock.nextInMs() !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.pass(10_001);
    await until(() => delivery.status.state === "unusable");
    expect(check.record?.code).toBe("TIMEOUT");
  });

  it("is not asked by a delivery on standby", async () => {
    const b = bench();
    reportOn(b.tracker, ["a"], 1);
    const holder = b.deliver(scriptedNotifier("scripted"));
    await until(() => holder.status.state === "idle");
    const { notifier, check, clock, asked } = checked();
    const other = b.deliver(notifier, { check, clock });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([other.status.state, asked]).toEqual(["standby", []]);
  });

  it("a bus that does not exist takes everything and loses it: nothing is sent there", async () => {
    const b = bench();
    reportOn(b.tracker, ["a"], 2);
    const sent: string[] = [];
    const send = async (command: object): Promise<object> => {
      const { name } = command.constructor;
      sent.push(name);
      if (name === "DescribeEventBusCommand")
        throw Object.assign(new Error("no such bus"), { name: "ResourceNotFoundException", $fault: "client" });
      return { Entries: [{ EventId: "e" }] };
    };
    const notifier = new EventBridgeNotifier({ busName: "nope", client: { send } });
    const logger = keptLogger();
    const clock = manualDeliveryClock();
    const check = new NotifierCheck({ notifier, clock, random: () => 0.5, logger });
    const delivery = new Delivery({ notifier, storage: b.storage, upgradeId: IDS.upgradeId, check, clock });
    onTestFinished(() => delivery.close());
    delivery.start();
    await until(() => delivery.status.state === "unusable");
    expect(sent).toEqual(["DescribeEventBusCommand"]);
    expect(logger.lines.join()).toMatch(/eventbridge is not told anything until this is put right: .*nope/);
  });
});

describe("a tracker whose notifier cannot tell", () => {
  it("goes on, says so once, and does not wait for it at its end; the next that can tells all", async () => {
    const storagePath = tempFolder();
    const logger = keptLogger();
    const unusable = scriptedNotifier("slack");
    unusable.check = () => Promise.reject(NO_TOKEN);
    const tracker = new ProgressTracker({ ...IDS, storagePath, notifiers: [unusable], logger });
    tracker.startUpgrade();
    await until(() => logger.lines.length > 0);
    const began = performance.now();
    await tracker.close();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect([unusable.calls, logger.lines]).toEqual([[], [expect.stringContaining(NO_TOKEN.message)]]);
    await expectRestTold(storagePath, "slack");
  });
});
