import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import type { Batch, Notifier } from "../../src/notify/notifier.ts";
import { slack } from "../../src/notify/slack.ts";
import { manualClock } from "../manual-clock.ts";
import { add, begin, fail, finish, start, story, wait, type Step } from "../view/story.ts";
import { blocksOf, slackHook, slackServer, textsOf, TOKEN } from "./slack-server.ts";

const STEPS: readonly Step[] = [
  [0, start("Nodes"), add("ng-1"), add("ng-2", { taskName: "Drain node group ng-2" }), begin("ng-1"), begin("ng-2")],
  [60, finish("ng-1"), wait("ng-2", { kind: "pdb", name: "web", message: "0 of 2 may go", remedy: "scale web to 3" })],
  [250, fail("ng-2", "3 pods cannot be evicted")],
];
const WAITING = story(STEPS.slice(0, 2));
const FAILED = story(STEPS);

/** As it is read: without what makes text bold and links short. */
const read = (texts: readonly string[]): string =>
  `${texts.map((text) => text.replaceAll("*", "").replace(/<[^|>]*\|([^>]*)>/g, "[$1]")).join("\n")}\n`;

it("the page shows what arrives", async () => {
  const page = readFileSync(new URL("../../docs/notify-slack.md", import.meta.url), "utf8");
  const shown = (mark: string): string =>
    new RegExp(`<!-- shown: ${mark} -->\\n+\`\`\`text\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? `no ${mark}`;
  const clock = manualClock();
  const sleep = async (ms: number): Promise<void> => clock.pass(ms);
  const more = { allowedAddresses: ["127.0.0.1"], clock, sleep, baseUrl: "https://milepost.example.com/" };
  const tell = (notifier: Notifier, batch: Batch) => notifier.notify(batch, { signal: new AbortController().signal });

  const server = await slackServer();
  const bot = slack({ token: TOKEN, channel: "C1", slackApiUrl: server.api, ...more });
  await tell(bot, WAITING);
  expect(read(textsOf(server.messages[0]!.blocks))).toBe(shown("card"));
  await tell(bot, { ...FAILED, events: FAILED.events.slice(-1) });
  expect(read(textsOf(server.messages[1]!.blocks))).toBe(shown("thread"));

  const hook = await slackHook();
  await tell(slack({ webhookUrl: hook.origin, ...more }), { ...FAILED, events: FAILED.events.slice(-3) });
  expect(read(textsOf(blocksOf(hook.requests[0]!)))).toBe(shown("hook"));
});
