import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { EventBridgeNotifier } from "../../src/notify/eventbridge.ts";
import type { Entry } from "../../src/notify/eventbridge/entry.ts";
import { mailOf } from "../../src/notify/email/mail.ts";
import { sms } from "../../src/notify/sms.ts";
import { add, begin, fail, finish, start, story } from "../view/story.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const clusterName = "arn:aws:eks:us-west-2:111122223333:cluster/prod";
const told = story([
  [0, start("Node groups"), add("drain-ng-1", { taskName: "Drain node group ng-1" })],
  [1, add("drain-ng-2", { taskName: "Drain node group ng-2" }), begin("drain-ng-1")],
  [65, finish("drain-ng-1"), begin("drain-ng-2")],
  [250, fail("drain-ng-2", "3 pods cannot be evicted")],
]);
const batch = { events: [told.events.at(-1)!], state: { ...told.state, clusterName } };
const signal = new AbortController().signal;

/** The block that follows a mark. */
function block(page: string, mark: string): string {
  const found = new RegExp(`<!-- ${mark} -->\\n+\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(read(page))?.[1];
  if (found === undefined) throw new Error(`${page} has no block ${mark}`);
  return found;
}

/** Keeps what an AWS client is sent. */
function keeping(answer: object): {
  readonly sent: unknown[];
  readonly client: { send(command: object): Promise<object> };
} {
  const sent: unknown[] = [];
  const send = async (command: object): Promise<object> => {
    sent.push((command as { readonly input: unknown }).input);
    return answer;
  };
  return { sent, client: { send } };
}

describe("what arrives", () => {
  it("from EventBridge is what its page shows", async () => {
    const { sent, client } = keeping({ Entries: [{ EventId: "e" }] });
    await new EventBridgeNotifier({ busName: "upgrade-events", client }).notify(batch, { signal });
    const [entry] = (sent[0] as { readonly Entries: readonly Entry[] }).Entries;
    const { Source, DetailType, Time, Resources, Detail } = entry!;
    expect(JSON.parse(block("docs/notify-eventbridge.md", "arrives"))).toEqual({
      version: "0",
      id: "17793124-05d4-b198-2fde-7ededc63b103",
      account: "111122223333",
      region: "us-west-2",
      source: Source,
      "detail-type": DetailType,
      time: Time.toISOString().replace(".000", ""),
      resources: Resources,
      detail: JSON.parse(Detail) as unknown,
    });
  });

  it("as a short message is what its page shows", async () => {
    const { sent, client } = keeping({ MessageId: "m" });
    await sms({ to: "+491701234567", client }).notify(batch, { signal });
    expect(block("docs/notify-sms.md", "arrives")).toBe(`${(sent[0] as { readonly Message: string }).Message}\n`);
  });

  it("as mail is what its page shows", () => {
    const { subject, text } = mailOf(batch, "https://milepost.example.com");
    expect(block("docs/notify-email.md", "arrives")).toBe(`Subject: ${subject}\n\n${text}`);
  });
});

describe("the pages", () => {
  it.each([
    ["docs/notify-eventbridge.md", "src/notify/eventbridge.ts", "EventBridgeNotifierOptions"],
    ["docs/notify-sms.md", "src/notify/sms.ts", "SmsOptions"],
    ["docs/notify-email.md", "src/notify/email.ts", "EmailOptions"],
  ])("%s lists every option, and no other", (page, source, name) => {
    const body = new RegExp(`interface ${name} \\{([\\s\\S]*?)\\n\\}`).exec(read(source))?.[1] ?? "";
    const options = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option]) => option);
    const section = read(page).split("\n## Options\n")[1]?.split("\n## ")[0] ?? "";
    const listed = [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, option]) => option);
    expect(options.length).toBeGreaterThan(5);
    expect(listed.sort()).toEqual(options.sort());
  });

  it("have policies that are JSON and name what is called", () => {
    const actions = (page: string) => JSON.stringify(JSON.parse(block(page, "policy")));
    expect(actions("docs/notify-eventbridge.md")).toMatch(/events:PutEvents.*events:DescribeEventBus/);
    expect(actions("docs/notify-sms.md")).toMatch(/sns:Publish.*sns:CheckIfPhoneNumberIsOptedOut/);
    expect(actions("docs/notify-email.md")).toMatch(/ses:SendEmail.*ses:GetAccount/);
    expect(() => void JSON.parse(block("docs/notify-eventbridge.md", "pattern"))).not.toThrow();
  });
});
