import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import type { SlackBotOptions } from "../../src/notify/slack.ts";
import { manualClock } from "../manual-clock.ts";
import { add, begin, report, start, story, wait, type Step } from "../view/story.ts";
import { ALL, answers, bot, NEVER, statuses, STORY } from "./slack-bot.ts";
import { slackServer, textsOf } from "./slack-server.ts";

const placeOf = (type: ProgressEvent["type"]): number => STORY.events.findIndex((event) => event.type === type) + 1;

describe("a bot", () => {
  it("posts one card for an upgrade, edits it in place, and replies to it for failures and the end", async () => {
    const server = await slackServer();
    const { tell } = bot(server, { baseUrl: "https://milepost.example.com/" });
    for (let place = 0; place < ALL; place++) expect(statuses(await tell(place, place + 1))).toEqual(["delivered"]);
    const [card, ...replies] = server.messages;
    expect(replies.map(({ thread }) => thread)).toEqual([card!.ts, card!.ts]);
    expect(server.calls.filter((call) => call === "post C1")).toHaveLength(1);
    expect(textsOf(card!.blocks)).toEqual([
      "*✗ my-cluster, upgrade-123: failed*  <https://milepost.example.com/#/upgrades/upgrade-123|Open>",
      ...["*Status*\nfailed", "*Phase*\nNodes", "*Progress*\n50%, 1 of 2 tasks completed", "*Duration*\n40s"],
      ...["*Error*\none task failed", "❌ Upgrade upgrade-123 failed (40s): one task failed"],
    ]);
    expect(card!.text).toBe("my-cluster: Upgrade upgrade-123 failed (40s): one task failed");
    expect(textsOf(replies[0]!.blocks)).toEqual(["❌ ng-2 failed (30s): 3 pods cannot be evicted"]);
    expect(textsOf(replies[1]!.blocks)).toEqual(["❌ Upgrade upgrade-123 failed (40s): one task failed"]);
  });

  it("shows on the card what is waited for, with the remedy", async () => {
    const server = await slackServer();
    await bot(server).tell(0, placeOf("task.waiting"));
    expect(textsOf(server.messages[0]!.blocks)).toContain("*Waiting on*\npdb web (ng-2)");
    expect(textsOf(server.messages[0]!.blocks)).toContain("*Remedy*\nscale web to 3");
  });

  it("edits a card at most every 2 s, and begins at most one request a second", async () => {
    const clock = manualClock();
    const server = await slackServer(() => clock.monotonic());
    const { tell } = bot(server, {}, clock);
    for (let place = 0; place < ALL; place++) await tell(place, place + 1);
    const { times } = server;
    expect(times).toHaveLength(server.calls.length);
    const edits = times.filter((_, place) => server.calls[place]!.startsWith("update"));
    for (const [place, time] of times.entries()) expect(time - (times[place - 1] ?? -1e9)).toBeGreaterThanOrEqual(1000);
    for (const [place, time] of edits.entries()) expect(time - (edits[place - 1] ?? -1e9)).toBeGreaterThanOrEqual(2000);
  });

  it("makes one edit of many events, and none of those that nobody wants to hear of", async () => {
    const server = await slackServer();
    const { tell, notifier } = bot(server);
    expect((await tell(0, 1)).map(({ status }) => status)).toEqual(["delivered"]);
    expect(server.calls).toEqual([]);
    const many = story([
      [0, start(), add("a"), begin("a")],
      ...Array.from({ length: 900 }, (_, n): Step => [n, report("a", { percentage: n / 10 })]),
    ]);
    await tell(0, 10, many);
    expect(statuses(await tell(10, many.events.length, many))).toEqual(
      Array(many.events.length - 10).fill("delivered"),
    );
    expect(server.calls).toEqual(["post C1", "update 1.000001"]);
    expect(notifier.limits.maxEvents).toBeGreaterThanOrEqual(many.events.length);
  });

  it("goes on with the same card after a restart, and has another one for another run", async () => {
    const server = await slackServer();
    const texts = new Map<string, string>();
    const cards: SlackBotOptions["cards"] = {
      load: async (upgradeId) => texts.get(upgradeId),
      save: async (upgradeId, text) => void texts.set(upgradeId, text),
    };
    await bot(server, { cards }).tell(0, 6);
    await bot(server, { cards }).tell(6, ALL);
    expect(server.calls).toEqual(["post C1", "update 1.000001", "post 1.000001"]);
    const { notifier } = bot(server, { cards });
    for (const [run, call] of [
      [2, "post C1"],
      [3, "post C1"],
      [2, "update 1.000003"],
    ] as const) {
      const calls = server.calls.length;
      const state = { ...STORY.state, run, seq: STORY.state.seq + calls };
      await notifier.notify({ events: [STORY.events[1]!], state }, { signal: NEVER });
      expect(server.calls.slice(calls)).toEqual([call]);
    }
    expect([...texts.keys()]).toEqual(["1 upgrade-123", "2 upgrade-123", "3 upgrade-123"]);
    texts.set("1 upgrade-123", "{damaged");
    await bot(server, { cards }).tell(0, 6);
    expect(server.calls.at(-1)).toBe("post C1");
  });

  it("posts no second card when the first could not be saved, and saves it later", async () => {
    const server = await slackServer();
    const saved: string[] = [];
    let failures = 1;
    const cards: SlackBotOptions["cards"] = {
      load: async () => undefined,
      save: async (_, text) => {
        if (failures-- > 0) throw new Error("disk full");
        saved.push(text);
      },
    };
    const { tell } = bot(server, { cards });
    await expect(tell(0, 6)).rejects.toThrow("disk full");
    expect(statuses(await tell(0, 6))).toEqual(Array(6).fill("delivered"));
    expect(server.calls).toEqual(["post C1"]);
    expect(saved.map((text) => JSON.parse(text))).toEqual([{ channel: "C1", ts: "1.000001" }]);
  });

  it("posts another card when the first is gone", async () => {
    const server = await slackServer();
    const { tell } = bot(server);
    await tell(0, 6);
    server.messages.length = 0;
    expect(statuses(await tell(6, 7))).toEqual(["delivered"]);
    expect(server.calls).toEqual(["post C1", "post C1"]);
  });

  it("makes one card of batches that come at once", async () => {
    const server = await slackServer();
    const { tell } = bot(server);
    await Promise.all([tell(0, 4), tell(4, 6), tell(6, 7)]);
    expect(server.calls.filter((call) => call === "post C1")).toHaveLength(1);
  });

  it("does not go back to an older state", async () => {
    const server = await slackServer();
    const { tell } = bot(server);
    await tell(0, ALL);
    const shown = JSON.stringify(server.messages[0]);
    expect(statuses(await tell(2, 6))).toEqual(Array(4).fill("delivered"));
    expect(JSON.stringify(server.messages[0])).toBe(shown);
  });

  it("keeps a card within Slack's limits with texts of any length", async () => {
    const server = await slackServer();
    const { notifier } = bot(server, { baseUrl: "https://milepost.example.com/" });
    for (const [run, text] of ["&".repeat(1000), "x".repeat(1000), "<\n>".repeat(300)].entries()) {
      const on = { kind: "pdb", name: text, message: text, remedy: text };
      const { state, events } = story([
        [
          0,
          start(text),
          ...["a", "b", "c", "d"].flatMap((id) => [add(id, { taskName: text }), begin(id), wait(id, on)]),
        ],
        [9, { type: "failUpgrade", errorMessage: text }],
      ]);
      const told = { events, state: { ...state, run, clusterName: text.slice(0, 255) } };
      expect(new Set(statuses(await notifier.notify(told, { signal: NEVER })))).toEqual(new Set(["delivered"]));
    }
    expect(server.messages).toHaveLength(6);
  });

  it("shows the newest event also when its state was there before", async () => {
    const server = await slackServer();
    const { notifier } = bot(server);
    for (const events of [STORY.events.slice(0, 2), STORY.events.slice(2)]) {
      await notifier.notify({ events, state: STORY.state }, { signal: NEVER });
    }
    expect(textsOf(server.messages[0]!.blocks).at(-1)).toBe("❌ Upgrade upgrade-123 failed (40s): one task failed");
  });

  it("tells only the reply again when only the reply failed", async () => {
    const server = await slackServer();
    const { tell } = bot(server);
    await tell(0, 6);
    server.faults.push(undefined, answers(500));
    const failed = placeOf("task.failed");
    const outcomes = await tell(6, failed);
    expect(statuses(outcomes)).toEqual([...Array(failed - 7).fill("delivered"), "retry"]);
    expect(statuses(await tell(failed - 1, failed))).toEqual(["delivered"]);
    expect(server.calls).toEqual(["post C1", "update 1.000001", "post 1.000001"]);
  });
});
