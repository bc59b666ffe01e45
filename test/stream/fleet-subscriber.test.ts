import { expect, test } from "vitest";

import { FleetSubscriber, type Summaries } from "../../src/stream/fleet-subscriber.ts";
import { summaryAt, type UpgradeSummary } from "../../src/view/upgrade/summary.ts";
import { testLog } from "../model/log.ts";
import { HeldLink } from "./held-link.ts";

const { state } = testLog();
const summary = (upgradeId: string, overallPercentage: number): UpgradeSummary => ({
  ...summaryAt(state, { asOfMs: 0, hasWriter: true }),
  upgradeId,
  overallPercentage,
});

test("[W10] a reader that can take nothing gets the newest of each upgrade then, also that it is gone", async () => {
  const said: string[] = [];
  const link = new HeldLink((text) => {
    const message = JSON.parse(text) as { type: string; upgradeId?: string; summary?: UpgradeSummary };
    said.push(
      [message.type, message.upgradeId ?? message.summary?.upgradeId, message.summary?.overallPercentage].join(" "),
    );
  });
  let [change, remove] = [(_: UpgradeSummary): void => undefined, (_: string): void => undefined];
  const summaries: Summaries = {
    list: () => [],
    watch: (_filter, onChange, onRemove = remove) => {
      [change, remove] = [onChange, onRemove];
      return () => undefined;
    },
  };
  new FleetSubscriber(link, { channel: "fleet", summaries, filter: {} });
  change(summary("full", 1));
  change(summary("a", 1));
  change(summary("b", 1));
  change(summary("a", 2));
  remove("b");
  remove("c");
  change(summary("c", 7));
  for (let turn = 0; turn < 10; turn++) {
    link.drain();
    await new Promise(setImmediate);
  }
  expect(said).toEqual(["summary full 1", "summary a 2", "removed b ", "summary c 7"]);
  link.close();
});
