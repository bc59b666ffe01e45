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
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

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

let python: string;
let url: string;
beforeAll(async () => {
  python = join(await pythonPrograms("requirements-aws.txt"), "python");
}, 300_000);
beforeEach(async () => {
  const moto = program(python, [fileURLToPath(new URL("moto_server.py", import.meta.url))]);
  await moto.until((lines) => lines.length > 0);
  url = `http://127.0.0.1:${moto.lines[0]}`;
  const names = { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "example-secret" };
  for (const [name, value] of Object.entries(names)) vi.stubEnv(name, value);
  return () => vi.unstubAllEnvs();
}, 60_000);

/** Asks SQS, for which there is no client here. */
async function queue(action: string, input: object): Promise<Record<string, unknown>> {
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

describe("moto's EventBridge", () => {
  test("brings what the rule of the page chooses to its target, and nothing else", async () => {
    const client = new EventBridgeClient(AWS);
    const notifier = new EventBridgeNotifier({ busName: "upgrade-events", awsRegion: AWS.region });
    await expect(notifier.check({ signal })).rejects.toMatchObject({ code: "NOTIFIER_UNUSABLE" });
    await client.send(new CreateEventBusCommand({ Name: "upgrade-events" }));
    await notifier.check({ signal });
    const { QueueUrl } = await queue("CreateQueue", { QueueName: "told" });
    const pattern = /<!-- pattern -->\n+```json\n([\s\S]*?)```/.exec(readFileSync(PAGE, "utf8"))?.[1];
    await client.send(new PutRuleCommand({ Name: "bad", EventBusName: "upgrade-events", EventPattern: pattern }));
    const Targets = [{ Id: "queue", Arn: ARN.replace("events", "sqs") + ":told" }];
    await client.send(new PutTargetsCommand({ Rule: "bad", EventBusName: "upgrade-events", Targets }));
    const outcomes = await notifier.notify({ events: told.events, state }, { signal });
    expect(outcomes.map(({ status }) => status)).toEqual(told.events.map(() => "delivered"));
    const { Messages } = await queue("ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 10 });
    const bodies = (Messages as { readonly Body: string }[]).map(({ Body }) => JSON.parse(Body) as object);
    expect(bodies).toMatchObject([
      {
        source: "milepost",
        "detail-type": "task.failed",
        resources: [clusterName],
        detail: { ...told.events.at(-1), clusterName, taskName: "b", metadata: { eventId: told.events.at(-1)?.id } },
      },
    ]);
    await notifier.close();
  });
});

describe("moto's SNS", () => {
  test("takes a short message to a number and to a topic, and knows a topic that is not there", async () => {
    const batch = { events: told.events.slice(-1), state };
    const taken = [{ status: "delivered", answer: expect.stringMatching(/^[\da-f-]{36}$/) as string }];
    const phone = sms({ to: "+491701234567", awsRegion: AWS.region });
    await phone.check({ signal });
    expect(await phone.notify(batch, { signal })).toEqual(taken);
    const { TopicArn = "" } = await new SNSClient(AWS).send(new CreateTopicCommand({ Name: "on-call" }));
    const topic = sms({ to: TopicArn, awsRegion: AWS.region });
    await topic.check({ signal });
    expect(await topic.notify(batch, { signal })).toEqual(taken);
    const nowhere = sms({ to: `${TopicArn}-not`, awsRegion: AWS.region });
    await expect(nowhere.check({ signal })).rejects.toMatchObject({ code: "NOTIFIER_UNUSABLE" });
    expect(await nowhere.notify(batch, { signal })).toMatchObject([{ status: "refused" }]);
  });
});

describe("moto's SES", () => {
  test("takes mail from a verified address only", async () => {
    const mailer = email({
      from: "Büro <milepost@example.com>",
      to: "ops@example.org",
      ses: { awsRegion: AWS.region },
    });
    const batch = { events: told.events, state };
    const refused = { status: "refused", code: "MessageRejected" };
    expect(await mailer.notify(batch, { signal })).toMatchObject(told.events.map(() => refused));
    await new SESv2Client(AWS).send(new CreateEmailIdentityCommand({ EmailIdentity: "milepost@example.com" }));
    expect(await mailer.notify(batch, { signal })).toMatchObject(told.events.map(() => ({ status: "delivered" })));
  });
});
