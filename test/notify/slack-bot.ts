/** A bot that tells a story to a server that speaks as Slack does, on a clock of the test's own. */

import type { ProgressEvent } from "../../src/model/event.ts";
import { evolve } from "../../src/model/evolve.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../src/model/upgrade.ts";
import type { Notifier, Outcome } from "../../src/notify/notifier.ts";
import { slack, type SlackBotOptions } from "../../src/notify/slack.ts";
import { manualClock, type ManualClock } from "../manual-clock.ts";
import { add, begin, fail, finish, IDS, report, start, story, wait, type Step } from "../view/story.ts";
import { TOKEN, type Fault, type SlackServer } from "./slack-server.ts";

export const NEVER = new AbortController().signal;
const STEPS: readonly Step[] = [
  [0, start("Nodes"), add("ng-1"), add("ng-2"), begin("ng-1"), begin("ng-2")],
  [9, report("ng-1", { percentage: 40 })],
  [10, finish("ng-1")],
  [20, wait("ng-2", { kind: "pdb", name: "web", remedy: "scale web to 3" })],
  [30, fail("ng-2", "3 pods cannot be evicted")],
  [40, { type: "failUpgrade", errorMessage: "one task failed" }],
];
export const STORY = story(STEPS);

/** The state after so many events. */
function stateAfter(events: readonly ProgressEvent[], count: number): UpgradeProgress {
  return events.slice(0, count).reduce((state, event) => evolve(state, event), emptyUpgrade(IDS));
}

interface Bot {
  readonly notifier: Notifier;
  readonly clock: ManualClock;
  /** Tells of these events of the story, with the state after the last of them. */
  readonly tell: (from: number, to: number, told?: typeof STORY) => Promise<readonly Outcome[]>;
}

/** Waiting lets the clock pass. */
export function bot({ api }: SlackServer, more: Partial<SlackBotOptions> = {}, clock = manualClock()): Bot {
  const notifier = slack({
    ...{ token: TOKEN, channel: "C1", slackApiUrl: api, allowedAddresses: ["127.0.0.1"], clock },
    sleep: async (ms) => clock.pass(ms),
    ...more,
  });
  return {
    notifier,
    clock,
    tell: (from, to, { events } = STORY) =>
      notifier.notify({ events: events.slice(from, to), state: stateAfter(events, to) }, { signal: NEVER }),
  };
}
export const ALL = STORY.events.length;
export const statuses = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ status }) => status);
/** A fault: any answer of HTTP. */
export const answers =
  (status: number, headers: Record<string, string> = {}, body = ""): Fault =>
  (response) =>
    response.writeHead(status, headers).end(body);
/** A fault: Slack's own way to say no. */
export const says = (error: string): Fault =>
  answers(200, { "content-type": "application/json" }, JSON.stringify({ ok: false, error }));
