import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import type { Outcome } from "../../src/notify/notifier.ts";
import { awsEndpoint, awsError, CANARIES, type AwsReply, type AwsRequest } from "./aws-endpoint.ts";
import { allTaken, bus, detailOf, entriesOf, of, state } from "./event-bus.ts";
import { keptLogger } from "./kept-logger.ts";

const signal = new AbortController().signal;

const statuses = (outcomes: readonly Outcome[]) => outcomes.map(({ status }) => status);

describe("entries that are not taken", () => {
  it("come back alone: over 100 batches only they are sent again, and none that was taken (N05)", async () => {
    const endpoint = await awsEndpoint();
    const codes = ["ThrottlingException", "InternalFailure", "MalformedDetail", "SomethingNew"];
    const taken: string[] = [];
    const refused: string[] = [];
    let turn = 0;
    endpoint.reply = (request) => {
      const Entries = entriesOf(request).map((entry) => {
        turn = (turn * 31 + 7) % 1009;
        const id = detailOf(entry)["id"] as string;
        const code = turn % 10 < 3 ? codes[turn % codes.length]! : undefined;
        if (code === undefined) taken.push(id);
        if (code === "MalformedDetail") refused.push(id);
        return code === undefined ? { EventId: id } : { ErrorCode: code, ErrorMessage: `because of ${code}` };
      });
      return { body: { FailedEntryCount: Entries.filter((entry) => "ErrorCode" in entry).length, Entries } };
    };
    const notifier = bus();
    const delivered: string[] = [];
    const dead: string[] = [];
    for (let batch = 0; batch < 100; batch++) {
      let left: ProgressEvent[] = Array.from({ length: 10 }, (_, n) => ({
        ...of("task.started"),
        id: `e${batch}-${n}`,
      }));
      while (left.length > 0) {
        const outcomes = await notifier.notify({ events: left, state }, { signal });
        outcomes.forEach(({ status }, place) => {
          if (status === "delivered") delivered.push(left[place]!.id);
          if (status === "refused") dead.push(left[place]!.id);
        });
        left = left.filter((_, place) => outcomes[place]?.status === "retry");
      }
    }
    expect(delivered).toEqual(taken);
    expect(new Set(taken).size).toBe(taken.length);
    expect(dead).toEqual(refused);
    expect(delivered.length + dead.length).toBe(1000);
    expect(dead.length).toBeGreaterThan(20);
    const sent = endpoint.requests.flatMap((request) => entriesOf(request)).length;
    expect(sent).toBeGreaterThan(1100);
  });

  it.each([
    ["AccessDeniedException", "refused"],
    ["InvalidAccountIdException", "refused"],
    ["InvalidArgument", "refused"],
    ["MalformedDetail", "refused"],
    ["RedactionFailure", "refused"],
    ["NotAuthorizedForSourceException", "refused"],
    ["NotAuthorizedForDetailTypeException", "refused"],
    ["InternalFailure", "retry"],
    ["ThrottlingException", "retry"],
  ])("with %s are %s, with AWS's code and words", async (code, status) => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => ({ body: { FailedEntryCount: 1, Entries: [{ ErrorCode: code, ErrorMessage: "why" }] } });
    const told = await bus().notify({ events: [of("task.failed")], state }, { signal });
    expect(told).toEqual([{ status, code, message: "why" }]);
  });

  it("with a code that is not known are tried five times, and events that the answer forgets again", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => ({ body: { FailedEntryCount: 1, Entries: [{ ErrorCode: "Odd" }] } });
    const notifier = bus();
    const told: string[] = [];
    for (let n = 0; n < 6; n++) {
      const outcomes = await notifier.notify({ events: [of("task.failed"), of("task.started")], state }, { signal });
      told.push(statuses(outcomes).join(" "));
    }
    expect(told).toEqual(["retry retry", "retry retry", "retry retry", "retry retry", "refused retry", "retry retry"]);
  });
});

describe("requests that fail as a whole", () => {
  it.each<[string, AwsReply, Partial<Outcome>]>([
    ["throttling", awsError("ThrottlingException", "Rate exceeded"), { status: "retry", code: "ThrottlingException" }],
    ["a fault of AWS", awsError("InternalException", "oh", 500), { status: "retry", code: "InternalException" }],
    ["a proxy's 502", { status: 502, body: "<html>" }, { status: "retry", code: "HTTP_502" }],
    ["an answer that is no JSON", { body: '{"Fail' }, { status: "retry", code: "HTTP_200" }],
    ["a connection cut", "reset", { status: "retry", code: "ECONNRESET" }],
    [
      "expired credentials",
      awsError("ExpiredTokenException", "old"),
      { status: "retry", code: "ExpiredTokenException" },
    ],
    [
      "a signature that does not fit",
      awsError("InvalidSignatureException", "The Canonical String should have been x", 403),
      { status: "retry", message: "AWS does not accept these credentials: see which are set, and for which account" },
    ],
    ["a key nobody knows", awsError("UnrecognizedClientException", "who"), { status: "retry" }],
    ["a policy that denies", awsError("AccessDeniedException", "no"), { status: "refused", message: "no" }],
    ["a detail that is not taken", awsError("ValidationException", "bad"), { status: "refused", message: "bad" }],
    ["413", { status: 413, body: "<html>" }, { status: "refused", code: "HTTP_413" }],
  ])("by %s", async (_, reply, outcome) => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => reply;
    const told = await bus().notify({ events: [of("task.failed"), of("task.started")], state }, { signal });
    expect(told).toMatchObject([outcome, outcome]);
  });

  it.each(["hang", "drip"] as const)(
    "by an answer that does not come (%s) end when the time is up",
    async (reply) => {
      const endpoint = await awsEndpoint();
      endpoint.reply = () => reply;
      const notifier = bus();
      const told = await notifier.notify({ events: [of("task.failed")], state }, { signal: AbortSignal.timeout(200) });
      expect(statuses(told)).toEqual(["retry"]);
      await notifier.close();
    },
    5_000,
  );

  it("are sent again with the clock set right, when the clock was the trouble", async () => {
    const endpoint = await awsEndpoint();
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    endpoint.reply = (request) =>
      endpoint.requests.length > 1
        ? allTaken(request)
        : { status: 403, headers: { date }, body: { __type: "InvalidSignatureException", message: "not yet current" } };
    expect(statuses(await bus().notify({ events: [of("task.failed")], state }, { signal }))).toEqual(["delivered"]);
    expect(Math.abs(signedAt(endpoint.requests[1]) - Date.parse(date))).toBeLessThan(60_000);
  });

  it("for one bad entry are sent in halves, so that the others arrive", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = (request) =>
      entriesOf(request).some((entry) => detailOf(entry)["id"] === "bad")
        ? awsError("ValidationException", "1 validation error detected")
        : allTaken(request);
    const many = Array.from({ length: 10 }, (_, n) => ({ ...of("task.started"), id: n === 6 ? "bad" : `e${n}` }));
    const told = await bus().notify({ events: many, state }, { signal });
    expect(statuses(told)).toEqual(many.map(({ id }) => (id === "bad" ? "refused" : "delivered")));
  });

  it("by an outage are not followed by others", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => "reset";
    const many = Array.from({ length: 25 }, (_, n) => ({ ...of("task.started"), id: `e${n}` }));
    const told = await bus().notify({ events: many, state }, { signal });
    expect(told.map(({ status }) => status)).toEqual(many.map(() => "retry"));
    expect(new Set(endpoint.requests.map((request) => detailOf(entriesOf(request)[0])["id"]))).toEqual(new Set(["e0"]));
  });
});

describe("credentials", () => {
  it("that have expired are told of once, and looked for anew at the next try", async () => {
    const endpoint = await awsEndpoint();
    const logger = keptLogger();
    endpoint.reply = ({ headers }) =>
      headers["x-amz-security-token"] === "renewed"
        ? { body: { FailedEntryCount: 0, Entries: [{ EventId: "e" }] } }
        : awsError("ExpiredTokenException", `The security token ${CANARIES[1]} is expired`);
    const notifier = bus({ logger });
    const tell = async () => statuses(await notifier.notify({ events: [of("task.failed")], state }, { signal }))[0];
    expect([await tell(), await tell()]).toEqual(["retry", "retry"]);
    process.env["AWS_SESSION_TOKEN"] = "renewed";
    expect(await tell()).toBe("delivered");
    expect(logger.lines).toEqual(["error EventBridge: the credentials for AWS have expired: renew them"]);
  });

  it("that are missing are told of, and events wait for them", async () => {
    const endpoint = await awsEndpoint();
    delete process.env["AWS_ACCESS_KEY_ID"];
    const logger = keptLogger();
    const notifier = bus({ logger });
    for (let n = 0; n < 3; n++) {
      expect(await notifier.notify({ events: [of("task.failed")], state }, { signal })).toMatchObject([
        { status: "retry", code: "CredentialsProviderError", message: expect.stringContaining("AWS_ACCESS_KEY_ID") },
      ]);
    }
    expect(logger.lines).toHaveLength(1);
    expect(endpoint.requests).toHaveLength(0);
    expect(notifier.isEnabled()).toBe(false);
    process.env["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
    endpoint.reply = allTaken;
    expect(statuses(await notifier.notify({ events: [of("task.failed")], state }, { signal }))).toEqual(["delivered"]);
    expect(notifier.isEnabled()).toBe(true);
  });

  it("never come out, whatever AWS or somebody in its place repeats of them", async () => {
    const endpoint = await awsEndpoint();
    const logger = keptLogger();
    const told: unknown[] = [];
    const notifier = bus({ logger });
    for (const type of [
      "AccessDeniedException",
      "ValidationException",
      "InternalException",
      "InvalidSignatureException",
    ]) {
      endpoint.reply = () =>
        awsError(type, `x-amz-security-token:${CANARIES[1]} ${"y".repeat(350)} ${CANARIES[0]}`, 403);
      told.push(await notifier.notify({ events: [of("task.failed")], state }, { signal }));
      told.push(await notifier.check({ signal }).catch((error: unknown) => [String(error), JSON.stringify(error)]));
      told.push(await notifier.sendUpgradeStarted("u", "c", "p"));
    }
    const all = JSON.stringify([told, logger.lines]);
    expect(all).not.toContain("CANARY");
    expect(all).toContain("[secret]");
  });
});

function signedAt(request: AwsRequest | undefined): number {
  const stamp = request?.headers["x-amz-date"] as string;
  return Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
