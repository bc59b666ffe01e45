import { describe, expect, it } from "vitest";

import { EventBridgeNotifier } from "../../src/notify/eventbridge.ts";
import { awsEndpoint, awsError } from "./aws-endpoint.ts";
import { allTaken, bus, detailOf, entriesOf, of, state } from "./event-bus.ts";
import { keptLogger } from "./kept-logger.ts";

const signal = new AbortController().signal;

describe("an event on the bus", () => {
  it("has the event's type, its fields, and what a rule chooses by", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = allTaken;
    const notifier = bus({ awsRegion: "us-west-2" });
    const told = await notifier.notify({ events: [of("task.completed"), of("task.failed")], state }, { signal });
    expect(told).toEqual([
      { status: "delivered", answer: "taken-0" },
      { status: "delivered", answer: "taken-1" },
    ]);
    const [request] = endpoint.requests;
    expect(request?.operation).toBe("PutEvents");
    expect(request?.headers.authorization).toContain("/us-west-2/events/aws4_request");
    const [completed, failed] = entriesOf(request);
    expect(completed).toMatchObject({
      Source: "milepost",
      DetailType: "task.completed",
      EventBusName: "upgrade-events",
      Time: Date.parse(of("task.completed").time) / 1000,
    });
    expect(detailOf(completed)).toMatchObject({
      ...of("task.completed"),
      clusterName: "my-cluster",
      planId: "plan-456",
      taskName: "ng-1",
      duration: "PT1M5S",
      metadata: {
        schemaVersion: 1,
        eventId: of("task.completed").id,
        seq: of("task.completed").seq,
        cursor: of("task.completed").cursor,
        upgradeId: "upgrade-123",
        run: 1,
      },
    });
    expect(detailOf(failed)).toMatchObject({
      taskName: "Drain node group ng-2",
      errorMessage: "3 pods cannot be evicted",
    });
    expect(completed).not.toHaveProperty("Resources");
    await notifier.close();
  });

  it("is about the cluster's ARN or the resources given, and belongs to the trace given", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = allTaken;
    const clusterName = "arn:aws:eks:eu-west-1:111122223333:cluster/prod";
    const batch = { events: [of("upgrade.started")], state: { ...state, clusterName } };
    const traceHeader = "00-67891233abcdef012345678912345678-463ac35c9f6413ad-01";
    await bus({ traceHeader, source: "com.example.upgrades" }).notify(batch, { signal });
    await bus({ resources: ["arn:aws:eks:x:1:nodegroup/y"] }).notify(batch, { signal });
    expect(entriesOf(endpoint.requests[0])[0]).toMatchObject({
      Source: "com.example.upgrades",
      Resources: [clusterName],
      TraceHeader: "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1",
    });
    expect(entriesOf(endpoint.requests[1])[0]?.Resources).toEqual(["arn:aws:eks:x:1:nodegroup/y"]);
  });

  it("keeps what the caller's request was to itself", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = allTaken;
    await bus().notify({ events: [{ ...of("task.completed"), request: "hash" }], state }, { signal });
    expect(endpoint.requests[0]?.input).not.toHaveProperty("request");
    expect(entriesOf(endpoint.requests[0])[0]?.Detail).not.toContain("hash");
  });
});

describe("what the options may be", () => {
  it.each([
    ["a source of AWS's own", { source: "aws.eks" }],
    ["a size that holds no event", { maxEntryBytes: 100 }],
    ["a size that EventBridge does not take", { maxEntryBytes: 2_000_000 }],
    ["a trace header that is none", { traceHeader: "Root=5" }],
  ])("is not %s", (_, options) => {
    expect(() => bus(options)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  it("is enabled with a bus and not without one", () => {
    expect(bus().isEnabled()).toBe(true);
    expect(new EventBridgeNotifier().isEnabled()).toBe(false);
    expect(bus({ enabled: false }).isEnabled()).toBe(false);
    expect(new EventBridgeNotifier().awsRegion).toBe("us-east-1");
  });
});

describe("the send methods", () => {
  it("send the seven detail types once, with the fields of the first design", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = allTaken;
    const notifier = bus();
    await notifier.sendUpgradeStarted("u", "c", "Nodes");
    await notifier.sendUpgradeCompleted("u", "c", "PT1H");
    await notifier.sendUpgradeFailed("u", "c", "no quota");
    await notifier.sendPhaseChanged("u", "c", "Checks");
    await notifier.sendTaskStarted("u", "c", "t", "Drain");
    await notifier.sendTaskCompleted("u", "c", "t", "Drain");
    expect(await notifier.sendTaskFailed("u", "c", "t", "Drain", "stuck")).toEqual({
      status: "delivered",
      answer: "taken-0",
    });
    const ids = { upgradeId: "u", clusterName: "c" };
    const task = { ...ids, taskId: "t", taskName: "Drain" };
    const metadata = { schemaVersion: 1, eventId: expect.stringMatching(/^[\da-f-]{36}$/) as string };
    expect(
      endpoint.requests.map((request) => {
        const [entry] = entriesOf(request);
        return [entry?.DetailType, detailOf(entry)];
      }),
    ).toEqual([
      ["upgrade.started", { ...ids, phase: "Nodes", metadata }],
      ["upgrade.completed", { ...ids, duration: "PT1H", metadata }],
      ["upgrade.failed", { ...ids, errorMessage: "no quota", metadata }],
      ["upgrade.phase_changed", { ...ids, phase: "Checks", metadata }],
      ["task.started", { ...task, metadata }],
      ["task.completed", { ...task, duration: null, metadata }],
      ["task.failed", { ...task, errorMessage: "stuck", metadata }],
    ]);
  });

  it("answer trouble as an outcome, and throw at wrong use", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => awsError("AccessDeniedException", "not authorized to perform: events:PutEvents", 400);
    expect(await bus().sendUpgradeStarted("u", "c", "p")).toMatchObject({
      status: "refused",
      code: "AccessDeniedException",
    });
    expect(await new EventBridgeNotifier().sendUpgradeStarted("u", "c", "p")).toMatchObject({
      status: "refused",
      code: "NOTIFIER_UNUSABLE",
    });
    expect(await bus({ enabled: false }).sendUpgradeStarted("u", "c", "p")).toMatchObject({ status: "refused" });
    await expect(bus().sendNotification("x".repeat(129), {})).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(bus().sendNotification("x", { at: Number.NaN })).rejects.toMatchObject({ code: "INVALID_PAYLOAD" });
  });
});

describe("check", () => {
  it("finds a bus that does not exist, which PutEvents would not tell", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = ({ operation, input }) =>
      operation === "DescribeEventBus" && input["Name"] === "upgrade-events"
        ? { body: { Name: "upgrade-events" } }
        : awsError("ResourceNotFoundException", "Event bus nobody does not exist.");
    await expect(bus().check({ signal })).resolves.toBeUndefined();
    await expect(bus({ busName: "nobody" }).check({ signal })).rejects.toMatchObject({
      code: "NOTIFIER_UNUSABLE",
      message: expect.stringMatching(/no event bus "nobody" in us-east-1/),
    });
    await expect(new EventBridgeNotifier().check({ signal })).rejects.toMatchObject({ code: "NOTIFIER_UNUSABLE" });
  });

  it("passes with a warning where it may not look", async () => {
    const endpoint = await awsEndpoint();
    const logger = keptLogger();
    endpoint.reply = () => awsError("AccessDeniedException", "no");
    await bus({ logger }).check({ signal });
    expect(logger.lines.at(-1)).toMatch(/^warn .*events:DescribeEventBus/);
  });

  it("names the package that a global endpoint needs", async () => {
    await awsEndpoint();
    const notifier = bus({ endpointId: "abcde.veo" });
    const error = { code: "MISSING_PACKAGE", message: expect.stringContaining("npm install @aws-sdk/signature-v4a") };
    await expect(notifier.check({ signal })).rejects.toMatchObject(error);
    await expect(notifier.notify({ events: [of("task.failed")], state }, { signal })).rejects.toMatchObject(error);
  });
});

describe("a client of the caller's", () => {
  it("is used as it is, and left open", async () => {
    const sent: unknown[] = [];
    const client = {
      send: async (command: object) => {
        sent.push((command as { input: unknown }).input);
        return { FailedEntryCount: 0, Entries: [{ EventId: "mine" }] };
      },
      destroy: () => {
        throw new Error("not yours");
      },
    };
    const notifier = bus({ client, endpointId: "abcde.veo" });
    const told = await notifier.notify({ events: [of("task.failed")], state }, { signal });
    expect(told).toEqual([{ status: "delivered", answer: "mine" }]);
    expect(sent).toMatchObject([{ EndpointId: "abcde.veo", Entries: [{ DetailType: "task.failed" }] }]);
    await notifier.close();
  });
});
