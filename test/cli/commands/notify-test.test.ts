import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { awsEndpoint, awsError, CANARIES, type AwsReply, type AwsRequest } from "../../notify/aws-endpoint.ts";
import { allTaken, entriesOf } from "../../notify/event-bus.ts";
import { mailServer } from "../../notify/mail-server.ts";
import { receiver } from "../../notify/receivers.ts";
import { slackServer, TOKEN } from "../../notify/slack-server.ts";
import { run, temporaryFolder, type Ran } from "../command-line.ts";

const PASSWORD = "CANARY-password-0123456789";
const LOCAL = { allowedAddresses: ["127.0.0.1"] };

/** `milepost notify test it`, where `it` is this entry. */
async function testOf(entry: object, env: Record<string, string> = {}): Promise<Ran> {
  const config = join(temporaryFolder(), "milepost.config.json");
  writeFileSync(config, JSON.stringify({ notifiers: { it: entry } }));
  return run(["notify", "test", "it", "--config", config], { env });
}

async function aws(reply: (request: AwsRequest) => AwsReply) {
  const endpoint = await awsEndpoint();
  endpoint.reply = reply;
  return endpoint;
}

describe("milepost notify test, to what it is configured for", () => {
  it("Slack by a bot", async () => {
    const server = await slackServer();
    const entry = { kind: "slack", token: { env: "TOKEN" }, channel: "C1", slackApiUrl: server.api, ...LOCAL };
    const { exitCode, stdout } = await testOf(entry, { TOKEN });
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/sent to it \(slack, channel C1\): chat\.postMessage /),
    ]);
    expect(server.messages[0]?.text).toContain("This is a test of notifications");
    const wrong = await testOf(entry, { TOKEN: `xoxb-${PASSWORD}` });
    expect([wrong.exitCode, wrong.stdout]).toEqual([
      1,
      expect.stringContaining("does not take this token: invalid_auth"),
    ]);
    expect(wrong.stdout + wrong.stderr).not.toContain(PASSWORD);
  });

  it("Slack by an incoming webhook", async () => {
    const { origin, requests } = await receiver((_request, response) => response.end("ok"));
    const webhookUrl = `${origin}/services/${PASSWORD}`;
    const { exitCode, stdout } = await testOf(
      { kind: "slack", webhookUrl: { env: "HOOK" }, ...LOCAL },
      { HOOK: webhookUrl },
    );
    expect([exitCode, stdout]).toEqual([
      0,
      "a test message was sent to it (slack, the channel of its incoming webhook): HTTP 200\n",
    ]);
    expect(requests.at(-1)?.body).toContain("This is a test of notifications");
  });

  it("email by SMTP", async () => {
    const server = await mailServer();
    const entry = { kind: "email", from: "m@example.com", to: "ops@example.org", smtp: { env: "SMTP" } };
    const SMTP = `smtp://ops:${PASSWORD}@127.0.0.1:${server.port}`;
    const { exitCode, stdout } = await testOf(entry, { SMTP });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("sent to it (email, ops@example.org)")]);
    expect(server.mails[0]?.html).toContain("This is a test of notifications");
    server.onLogin = () => ({ code: 535, message: `not ${PASSWORD}` });
    const wrong = await testOf(entry, { SMTP });
    expect([wrong.exitCode, wrong.stdout]).toEqual([1, expect.stringContaining("NOTIFIER_UNUSABLE")]);
    expect(wrong.stdout + wrong.stderr).not.toContain(PASSWORD);
  });

  it("email by SES", async () => {
    const endpoint = await aws(({ operation }) => ({
      body: operation.startsWith("POST") ? { MessageId: "m-1" } : { SendingEnabled: true },
    }));
    const { exitCode, stdout } = await testOf({ kind: "email", from: "m@example.com", to: "ops@example.org", ses: {} });
    expect([exitCode, stdout]).toEqual([0, "a test message was sent to it (email, ops@example.org): m-1\n"]);
    expect(JSON.stringify(endpoint.requests.at(-1)?.input)).toContain("This is a test of notifications");
  });

  it("a short message", async () => {
    const endpoint = await aws(({ operation }) => ({
      body: operation === "Publish" ? { MessageId: "m-1" } : { isOptedOut: "false" },
    }));
    const { exitCode, stdout } = await testOf({ kind: "sms", to: "+491701234567" });
    expect([exitCode, stdout]).toEqual([0, "a test message was sent to it (sms, +49…67): m-1\n"]);
    expect(endpoint.requests.at(-1)?.input["Message"]).toMatch(/^no-cluster: .*This is a test/);
  });

  it("EventBridge, and nothing to a bus that does not exist", async () => {
    const endpoint = await aws((request) =>
      request.operation === "PutEvents" ? allTaken(request) : { body: { Name: "b" } },
    );
    const entry = { kind: "eventbridge", busName: "b", awsRegion: "eu-west-1" };
    const { exitCode, stdout } = await testOf(entry);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("sent to it (eventbridge, bus b in eu-west-1): ")]);
    expect(entriesOf(endpoint.requests.at(-1))[0]?.Detail).toContain("This is a test of notifications");
    const before = endpoint.requests.length;
    endpoint.reply = () => awsError("ResourceNotFoundException", "Event bus b does not exist.");
    const wrong = await testOf(entry);
    expect([wrong.exitCode, wrong.stdout]).toEqual([
      1,
      expect.stringMatching(/^no test message could be sent .*NOTIFIER_UNUSABLE: /),
    ]);
    expect(endpoint.requests.slice(before).map(({ operation }) => operation)).not.toContain("PutEvents");
    for (const canary of CANARIES) expect(wrong.stdout + wrong.stderr).not.toContain(canary);
  });
});
