import { describe, expect, it } from "vitest";

import { slack, type SlackHookOptions } from "../../src/notify/slack.ts";
import type { Notifier } from "../../src/notify/notifier.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";
import { add, begin, fail, finish, report, start, story, type Step } from "../view/story.ts";
import { receiver } from "./receivers.ts";
import { blocksOf, slackHook, textsOf } from "./slack-server.ts";

const NEVER = new AbortController().signal;
const PATH = "/services/T000/B000/canary-of-the-hook";

function hook(origin: string, clock: ManualClock = manualClock(), more: Partial<SlackHookOptions> = {}): Notifier {
  const sleep = async (ms: number): Promise<void> => clock.pass(ms);
  return slack({ webhookUrl: `${origin}${PATH}`, allowedAddresses: ["127.0.0.1"], clock, sleep, ...more });
}

/** 1,000 events that people hear of, within a second. */
const BURST = story([
  [0, start("Nodes"), ...Array.from({ length: 333 }, (_, n) => add(`t${n}`))],
  ...Array.from({ length: 333 }, (_, n): Step => {
    const end = n % 100 === 50 ? fail(`t${n}`, "no room") : finish(`t${n}`);
    return [n / 333, begin(`t${n}`), report(`t${n}`, { percentage: 50 }), end];
  }),
]);
const TELLING = BURST.events.filter(({ type }) => !["writer.opened", "task.added"].includes(type));

describe("an incoming webhook", () => {
  it("says what happened and where the upgrade stands", async () => {
    const server = await slackHook();
    const { state, events } = story([
      [0, start("Nodes"), add("a"), begin("a")],
      [5, fail("a", "no room")],
    ]);
    const notifier = hook(server.origin, manualClock(), { baseUrl: "https://m.example.com/?a=1&b=2" });
    const outcomes = await notifier.notify({ events, state }, { signal: NEVER });
    expect(outcomes.map(({ status }) => status)).toEqual(events.map(() => "delivered"));
    const [request, ...others] = server.requests;
    expect(others).toEqual([]);
    expect(request).toMatchObject({ method: "POST", url: PATH, headers: { "content-type": "application/json" } });
    expect(textsOf(blocksOf(request!))).toEqual([
      "*● my-cluster, upgrade-123*  <https://m.example.com/?a=1&amp;b=2#/upgrades/upgrade-123|Open>",
      "• Upgrade upgrade-123 on my-cluster started: Nodes\n• a started\n❌ a failed (5s): no room",
      ...["Status: running", "Phase: Nodes", "Progress: 0 of 1 tasks completed", "Duration: 5s"],
    ]);
    expect(JSON.parse(request!.body)).toMatchObject({ text: "my-cluster: a failed (5s): no room", parse: "none" });
  });

  it("tells 1,000 events of one second in a few messages, a second apart, and loses none of them (N07)", async () => {
    expect(TELLING).toHaveLength(1000);
    const clock = manualClock();
    const times: number[] = [];
    const server = await receiver((_, response) => {
      times.push(clock.monotonic());
      response.end("ok");
    });
    const notifier = hook(server.origin, clock);
    const begun = clock.monotonic();
    // As a delivery does: what is there by now is told, up to the limit.
    for (let told = 0; told < BURST.events.length;) {
      const passed = clock.monotonic() - begun;
      const there = BURST.events.filter(({ ms }) => ms <= passed).length;
      const events = BURST.events.slice(told, Math.min(there, told + notifier.limits.maxEvents));
      if (events.length === 0) clock.pass(1);
      const outcomes = await notifier.notify({ events, state: BURST.state }, { signal: NEVER });
      expect(outcomes.every(({ status }) => status === "delivered")).toBe(true);
      told += events.length;
    }
    for (const [place, time] of times.entries()) expect(time - (times[place - 1] ?? -1e9)).toBeGreaterThanOrEqual(1000);
    expect(times.length).toBeLessThanOrEqual(4);
    const texts = server.requests.flatMap((request) => textsOf(blocksOf(request)));
    const listed = texts.flatMap((text) => text.split("\n")).filter((text) => /^[•⚠❌]/u.test(text)).length;
    const counted = texts.flatMap((text) => /^and (\d+) more: (.*)$/.exec(text)?.slice(1) ?? []);
    const sums = counted.filter((_, place) => place % 2 === 0).map(Number);
    expect(listed + sums.reduce((sum, one) => sum + one, 0)).toBe(1000);
    // Those that failed are named, whatever else has no room.
    expect(texts.join("\n").match(/❌ t\d+ failed/g)).toHaveLength(3);
    expect(texts.at(-2)).toBe("Progress: 99%, 330 of 333 tasks completed");
  });

  it("can ping nobody, whatever names and messages say", async () => {
    const server = await slackHook();
    const evil = "<!channel> <!here> <@U1> <#C1> <https://evil.example.com|click> & &lt;!channel&gt; @channel *b* `c`";
    const { state, events } = story([
      [0, start(evil), add("a", { taskName: evil }), begin("a", evil), fail("a", evil)],
    ]);
    await hook(server.origin).notify({ events, state }, { signal: NEVER });
    const [{ body }] = server.requests as [(typeof server.requests)[0]];
    const { text, blocks, ...settings } = JSON.parse(body);
    expect(settings).toEqual({ parse: "none", link_names: false, unfurl_links: false, unfurl_media: false });
    expect(`${text} ${textsOf(blocks).join(" ")}`).not.toMatch(/<|>|&(?!(amp|lt|gt);)/);
    expect(text).toContain("&lt;!channel&gt;");
    for (const object of blocks.flatMap((block: Record<string, unknown>) =>
      [block["text"], block["elements"]].flat(),
    )) {
      if (object !== undefined) expect(object).toMatchObject({ type: "mrkdwn", verbatim: true });
    }
  });

  it("stays within Slack's limits with texts of any length", async () => {
    const server = await slackHook();
    const clock = manualClock();
    for (const text of [
      "x".repeat(16_000),
      "&".repeat(1000),
      "<>".repeat(500),
      "👩‍👩‍👧‍👦".repeat(90),
      "e\u0301".repeat(500),
    ]) {
      const name = text.slice(0, 1000);
      const { state, events } = story([
        [0, start(name), ...Array.from({ length: 60 }, (_, n) => add(`t${n}`, { taskName: name }))],
        [1, ...Array.from({ length: 60 }, (_, n) => begin(`t${n}`, text))],
        [2, ...Array.from({ length: 60 }, (_, n) => fail(`t${n}`, text))],
      ]);
      const outcomes = await hook(server.origin, clock).notify({ events, state }, { signal: NEVER });
      expect(outcomes.at(-1)).toEqual({ status: "delivered", answer: "HTTP 200" });
    }
  });

  it("heeds Retry-After, and refuses what Slack refuses, without telling the address", async () => {
    const server = await slackHook();
    const clock = manualClock();
    const notifier = hook(server.origin, clock);
    const { state, events } = story([[0, start()]]);
    const tell = async () => (await notifier.notify({ events: events.slice(1), state }, { signal: NEVER }))[0]!;
    server.faults.push((response) => response.writeHead(429, { "retry-after": "30" }).end());
    expect(await tell()).toMatchObject({ status: "retry", code: "HTTP_429", retryAfterMs: 30_000 });
    expect(await tell()).toMatchObject({ status: "retry", code: "HELD_BACK", retryAfterMs: 30_000 });
    expect(server.connections()).toBe(1);
    clock.pass(30_000);
    server.faults.push((response) => response.writeHead(404).end(`no_service at ${PATH}`));
    const outcome = await tell();
    expect(outcome).toMatchObject({ status: "refused", code: "HTTP_404", message: "HTTP 404: no_service at ***" });
    server.faults.push((response) => response.writeHead(403).end("canary-of-the-hook"));
    expect(JSON.stringify([notifier, await tell()])).not.toContain("canary");
    expect((await tell()).status).toBe("delivered");
    await notifier.check({ signal: NEVER }).catch((error: unknown) => expect(String(error)).not.toContain("canary"));
    await notifier.close();
  });
});
