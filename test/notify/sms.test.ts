import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { sms, type SmsOptions } from "../../src/notify/sms.ts";
import { SHORT_LIMITS, shortText } from "../../src/notify/sms/short-text.ts";
import { manualClock } from "../manual-clock.ts";
import { add, begin, fail, start, story } from "../view/story.ts";
import { awsEndpoint, awsError, CANARIES } from "./aws-endpoint.ts";
import { keptLogger } from "./kept-logger.ts";

const { state, events } = story([
  [0, start("Nodes"), add("ng-2", { taskName: "Drain node group ng-2" }), begin("ng-2")],
  [250, fail("ng-2", "3 pods cannot be evicted")],
]);
const failed = events.find(({ type }) => type === "task.failed")!;
const TO = "+491701234567";
const TOPIC = "arn:aws:sns:us-east-1:111122223333:on-call";
const signal = new AbortController().signal;
const phone = (options: Partial<SmsOptions> = {}) => sms({ to: TO, ...options });
const once = { events: [failed], state };

describe("a short message", () => {
  it("says in one line which cluster and what happened, to a number", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => ({ body: { MessageId: "m-1" } });
    const notifier = phone({ senderId: "Milepost", maxPriceUsd: 0.25, awsRegion: "eu-west-1" });
    expect(await notifier.notify(once, { signal })).toEqual([{ status: "delivered", answer: "m-1" }]);
    expect(endpoint.requests[0]?.headers.authorization).toContain("/eu-west-1/sns/aws4_request");
    expect(Object.values(endpoint.requests[0]!.input)).toEqual(
      expect.arrayContaining(["Transactional", "Milepost", "0.25", "AWS.SNS.SMS.MaxPrice"]),
    );
    expect(endpoint.requests[0]?.input).toMatchObject({
      Action: "Publish",
      PhoneNumber: TO,
      Message: "my-cluster: Drain node group ng-2 failed (4m 10s): 3 pods cannot be evicted",
    });
    await notifier.close();
  });

  it("goes to a topic, and of a cluster's ARN tells the name", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => ({ body: { MessageId: "m-1" } });
    const clusterName = "arn:aws:eks:eu-west-1:111122223333:cluster/prod";
    await sms({ to: TOPIC }).notify({ events: [failed], state: { ...state, clusterName } }, { signal });
    expect(endpoint.requests[0]?.input).toMatchObject({
      TopicArn: TOPIC,
      Message: expect.stringMatching(/^prod: Drain node group/) as string,
    });
  });

  it.each([
    ["plain text of 160", "x".repeat(160), "x".repeat(160)],
    ["plain text of 161", "x".repeat(161), `${"x".repeat(157)}...`],
    ["signs that take two places", "[".repeat(81), `${"[".repeat(78)}...`],
    ["signs that take two places and fit", "€".repeat(80), "€".repeat(80)],
    ["typographic signs, which are made plain", "“a” — b… it’s", '"a" - b... it\'s'],
    ["letters in two parts, which are made one", "Me\u0301lange", "Mélange"],
    ["other letters up to 70", "日".repeat(70), "日".repeat(70)],
    ["other letters over 70", "日".repeat(71), `${"日".repeat(69)}…`],
    ["emoji, which are not cut in two", "👩‍👩‍👧‍👦".repeat(7), `${"👩‍👩‍👧‍👦".repeat(6)}…`],
  ])("fits %s", (_, text, expected) => {
    expect(shortText(text)).toBe(expected);
    expect(shortText(text).length).toBeLessThanOrEqual(SHORT_LIMITS.gsm);
  });

  it("has no line break and no control character, whatever the names are", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => ({ body: { MessageId: "m" } });
    const hostile = { ...failed, errorMessage: "a\r\nb\u001b[2J\u202ec" } as ProgressEvent;
    await phone().notify({ events: [hostile], state }, { signal });
    expect(endpoint.requests[0]?.input["Message"]).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

describe("what it costs", () => {
  it("ends at a number in an hour and in a day: more is refused, and said once", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => ({ body: { MessageId: "m" } });
    const clock = manualClock();
    const logger = keptLogger();
    const notifier = phone({ maxPerHour: 2, maxPerDay: 3, clock, logger });
    const told = async () => (await notifier.notify(once, { signal }))[0];
    const capped = { status: "refused", code: "RATE_CAP" };
    expect([await told(), await told()]).toMatchObject([{ status: "delivered" }, { status: "delivered" }]);
    expect([await told(), await told()]).toMatchObject([capped, capped]);
    clock.pass(3_599_999);
    expect(await told()).toMatchObject(capped);
    clock.pass(1);
    expect(await told()).toMatchObject({ status: "delivered" });
    clock.pass(3_600_000);
    expect(await told()).toMatchObject(capped);
    clock.jump(90_000_000);
    expect(await told()).toMatchObject(capped);
    clock.pass(86_400_000);
    expect(await told()).toMatchObject({ status: "delivered" });
    expect(endpoint.requests).toHaveLength(4);
    expect(logger.lines).toHaveLength(2);
  });

  it("does not count what was not sent", async () => {
    const endpoint = await awsEndpoint();
    const notifier = phone({ maxPerHour: 1 });
    endpoint.reply = () => awsError("Throttling", "Rate exceeded");
    for (let n = 0; n < 3; n++) expect(await notifier.notify(once, { signal })).toMatchObject([{ status: "retry" }]);
    endpoint.reply = () => ({ body: { MessageId: "m" } });
    expect(await notifier.notify(once, { signal })).toMatchObject([{ status: "delivered" }]);
  });

  it("ends at the account's limit, with the setting to raise", async () => {
    const endpoint = await awsEndpoint();
    const logger = keptLogger();
    endpoint.reply = () => awsError("InvalidParameter", "MonthlySpendLimit reached");
    const notifier = phone({ logger });
    for (let n = 0; n < 2; n++) {
      expect(await notifier.notify(once, { signal })).toMatchObject([
        { status: "refused", code: "SPEND_LIMIT", message: expect.stringContaining("MonthlySpendLimit") as string },
      ]);
    }
    expect(logger.lines).toHaveLength(1);
  });
});

describe("trouble", () => {
  it.each([
    ["Throttled", "Rate exceeded", 429, { status: "retry", code: "ThrottledException" }],
    ["InternalError", "oh", 500, { status: "retry" }],
    ["AuthorizationError", "not allowed", 403, { status: "refused", message: "not allowed" }],
    ["InvalidParameter", `Invalid parameter: PhoneNumber Reason: ${TO} is not valid`, 400, { status: "refused" }],
    ["ExpiredToken", "old", 403, { status: "retry", message: "the credentials for AWS have expired: renew them" }],
    ["SignatureDoesNotMatch", `x-amz-security-token:${CANARIES[1]}`, 403, { status: "retry" }],
  ])("%s", async (code, message, status, outcome) => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => awsError(code, message, status);
    const told = await phone().notify(once, { signal });
    expect(told).toMatchObject([outcome]);
    expect(JSON.stringify(told)).not.toContain("CANARY");
    expect(JSON.stringify(told)).not.toContain(TO);
  });

  it("of a number or topic is found by a check", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => ({ body: { isOptedOut: "true" } });
    const unusable = (text: string) => ({
      code: "NOTIFIER_UNUSABLE",
      message: expect.stringContaining(text) as string,
    });
    await expect(phone().check({ signal })).rejects.toMatchObject(unusable("+49…67 has opted out"));
    endpoint.reply = () => ({ body: { isOptedOut: "false" } });
    await expect(phone().check({ signal })).resolves.toBeUndefined();
    endpoint.reply = () => awsError("NotFound", "Topic does not exist", 404);
    await expect(sms({ to: TOPIC }).check({ signal })).rejects.toMatchObject(unusable("Topic does not exist"));
    const logger = keptLogger();
    endpoint.reply = () => awsError("AuthorizationError", "no", 403);
    await phone({ logger }).check({ signal });
    expect(logger.lines.at(-1)).toContain("sns:CheckIfPhoneNumberIsOptedOut");
  });
});

describe("what the options may be", () => {
  it.each([
    ["01701234567"],
    ["+0170"],
    ["+49 170 1234567"],
    ["+4917012345678901"],
    ["arn:aws:sqs:us-east-1:111122223333:q"],
    [`${TO}\r\n`],
  ])("is not the number %j", (to) => {
    expect(() => sms({ to })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  it.each([[{ senderId: "123" }], [{ senderId: "much too long" }], [{ maxPerHour: 0 }], [{ maxPriceUsd: Number.NaN }]])(
    "is not %j",
    (options) => {
      expect(() => phone(options)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    },
  );
});
