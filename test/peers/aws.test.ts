import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateEmailIdentityCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";

import { email, EventBridgeNotifier, sms } from "milepost/notifiers";
import { add, begin, fail, finish, start, story } from "../view/story.ts";
import { program } from "./program.ts";
import { pythonPrograms } from "./python.ts";

const AWS = { region: "us-west-2" } as const;
const ARN = "arn:aws:events:us-west-2:123456789012";
const PAGE = new URL("../../docs/notify-eventbridge.md", import.meta.url);
const told = story([
  [0, start("Node groups"), add("a"), add("b"), begin("a"), begin("b")],
  [65, finish("a")],
  [70, fail("b", "3 pods cannot be evicted")],
]);
const clusterName = "arn:aws:eks:us-west-2:123456789012:cluster/prod";
const state = { ...told.state, clusterName };
const signal = AbortSignal.timeout(120_000);

/** Emulators of AWS that nobody of this project wrote: a list of packages, and what starts it. */
const EMULATORS = [
  { name: "moto", list: "requirements-aws.txt", script: "moto_server.py" },
  { name: "ministack", list: "requirements-ministack.txt", script: "ministack_server.py" },
] as const;
type Emulator = (typeof EMULATORS)[number];

const pythons = new Map<Emulator, string>();
beforeAll(async () => {
  for (const emulator of EMULATORS) pythons.set(emulator, join(await pythonPrograms(emulator.list), "python"));
}, 600_000);

/** Starts one for the present test, and lets the SDK find it. */
async function started(emulator: Emulator): Promise<string> {
  const script = fileURLToPath(new URL(emulator.script, import.meta.url));
  const server = program(pythons.get(emulator) as string, [script]);
  await server.until((lines) => lines.length > 0);
  const url = `http://127.0.0.1:${server.lines[0]}`;
  const names = { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "example-secret" };
  for (const [name, value] of Object.entries(names)) vi.stubEnv(name, value);
  return url;
}
afterEach(() => void vi.unstubAllEnvs());

/** Asks SQS, for which there is no client here. */
async function queue(url: string, action: string, input: object): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `AmazonSQS.${action}`,
      authorization:
        "AWS4-HMAC-SHA256 Credential=a/20261123/us-west-2/sqs/aws4_request, SignedHeaders=host, Signature=x",
    },
    body: JSON.stringify(input),
  });
  return (await response.json()) as Record<string, unknown>;
}

interface Message {
  readonly source: string;
  readonly "detail-type": string;
  readonly resources: readonly string[];
  readonly detail: { readonly seq: number; readonly clusterName: string; readonly metadata: Record<string, unknown> };
}

/** What has come to a queue, oldest event first. */
async function messagesIn(url: string, QueueUrl: unknown, count: number): Promise<readonly Message[]> {
  const messages: Message[] = [];
  for (const end = Date.now() + 20_000; messages.length < count && Date.now() < end;) {
    const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 600 };
    const { Messages = [] } = await queue(url, "ReceiveMessage", input);
    for (const { Body } of Messages as { readonly Body: string }[]) messages.push(JSON.parse(Body) as Message);
  }
  return messages.sort((a, b) => a.detail.seq - b.detail.seq);
}

/** True if the pattern of the page chooses it, read as EventBridge documents it. */
function isChosen(pattern: Pattern, { source, "detail-type": type, detail }: Message): boolean {
  const [{ wildcard }] = pattern.detail.clusterName;
  const parts = wildcard.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const text = new RegExp(`^${parts.join(".*")}$`);
  return (
    pattern.source.includes(source) &&
    pattern["detail-type"].includes(type) &&
    text.test(detail.clusterName) &&
    pattern.detail.metadata.schemaVersion.includes(detail.metadata["schemaVersion"] as number)
  );
}
interface Pattern {
  readonly source: readonly string[];
  readonly "detail-type": readonly string[];
  readonly detail: {
    readonly clusterName: readonly [{ readonly wildcard: string }];
    readonly metadata: { readonly schemaVersion: readonly number[] };
  };
}

describe.each(EMULATORS)("$name, as AWS", (emulator) => {
  test("its EventBridge brings what the rule of the page chooses to its target, and nothing else", async () => {
    const url = await started(emulator);
    const client = new EventBridgeClient(AWS);
    const notifier = new EventBridgeNotifier({ busName: "upgrade-events", awsRegion: AWS.region });
    await expect(notifier.check({ signal })).rejects.toMatchObject({ code: "NOTIFIER_UNUSABLE" });
    await client.send(new CreateEventBusCommand({ Name: "upgrade-events" }));
    await notifier.check({ signal });
    const pattern = /<!-- pattern -->\n+```json\n([\s\S]*?)```/.exec(readFileSync(PAGE, "utf8"))?.[1] ?? "";
    const queues = new Map<string, unknown>();
    for (const [name, EventPattern] of [
      ["bad", pattern],
      ["all", '{"source":["milepost"]}'],
    ] as const) {
      queues.set(name, (await queue(url, "CreateQueue", { QueueName: name }))["QueueUrl"]);
      await client.send(new PutRuleCommand({ Name: name, EventBusName: "upgrade-events", EventPattern }));
      const Targets = [{ Id: "queue", Arn: `${ARN.replace("events", "sqs")}:${name}` }];
      await client.send(new PutTargetsCommand({ Rule: name, EventBusName: "upgrade-events", Targets }));
    }
    const outcomes = await notifier.notify({ events: told.events, state }, { signal });
    expect(outcomes.map(({ status }) => status)).toEqual(told.events.map(() => "delivered"));

    const all = await messagesIn(url, queues.get("all"), told.events.length);
    expect(all.map(({ detail }) => detail.metadata["eventId"])).toEqual(told.events.map(({ id }) => id));
    const chosen = all.filter((message) => isChosen(JSON.parse(pattern) as Pattern, message));
    expect(chosen).toHaveLength(1);
    const bad = await messagesIn(url, queues.get("bad"), chosen.length);
    expect(bad).toMatchObject([
      {
        source: "milepost",
        "detail-type": "task.failed",
        resources: [clusterName],
        detail: { ...told.events.at(-1), clusterName, taskName: "b", metadata: { eventId: told.events.at(-1)?.id } },
      },
    ]);
    expect(bad.map(({ detail }) => detail)).toEqual(chosen.map(({ detail }) => detail));
    await notifier.close();
  });

  test("its SNS takes a short message to a number and to a topic, and knows a topic that is not there", async () => {
    await started(emulator);
    const batch = { events: told.events.slice(-1), state };
    const taken = [{ status: "delivered", answer: expect.stringMatching(/^[\da-f-]{36}$/) as string }];
    const phone = sms({ to: "+491701234567", awsRegion: AWS.region });
    // ministack does not know whether a number has opted out.
    if (emulator.name === "moto") await phone.check({ signal });
    expect(await phone.notify(batch, { signal })).toEqual(taken);
    const { TopicArn = "" } = await new SNSClient(AWS).send(new CreateTopicCommand({ Name: "on-call" }));
    const topic = sms({ to: TopicArn, awsRegion: AWS.region });
    await topic.check({ signal });
    expect(await topic.notify(batch, { signal })).toEqual(taken);
    const nowhere = sms({ to: `${TopicArn}-not`, awsRegion: AWS.region });
    await expect(nowhere.check({ signal })).rejects.toMatchObject({ code: "NOTIFIER_UNUSABLE" });
    expect(await nowhere.notify(batch, { signal })).toMatchObject([{ status: "refused" }]);
  });

  test("its SES takes mail from a verified address", async () => {
    await started(emulator);
    const from = "Büro <milepost@example.com>";
    const mailer = email({ from, to: "ops@example.org", ses: { awsRegion: AWS.region } });
    const batch = { events: told.events, state };
    // Only moto asks whether it is verified.
    if (emulator.name === "moto") {
      const refused = { status: "refused", code: "MessageRejected" };
      expect(await mailer.notify(batch, { signal })).toMatchObject(told.events.map(() => refused));
    }
    await new SESv2Client(AWS).send(new CreateEmailIdentityCommand({ EmailIdentity: "milepost@example.com" }));
    expect(await mailer.notify(batch, { signal })).toMatchObject(told.events.map(() => ({ status: "delivered" })));
  });
});
