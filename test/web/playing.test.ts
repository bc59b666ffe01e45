/** Upgrades that are longer than what a page holds: played, clicked into, and looked at task by task. */

import { expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import { percentText } from "../../src/view/text/duration.ts";
import { countsText, upgradeView } from "../../src/view/upgrade/upgrade-view.ts";
import { manualClock } from "../manual-clock.ts";
import { openPage } from "./browser.ts";
import { HOUR_AGO, statesOf } from "./recorded.ts";
import { startServer, type Served } from "./served.ts";

const TASKS = 45;
const REPORTS = 600;

/** Now and then much happens at once, and then nothing for a while: no place can be guessed from its time. */
async function recordLong(server: Served): Promise<readonly UpgradeProgress[]> {
  const clock = manualClock(HOUR_AGO());
  const tracker = server.track("long", { clock });
  tracker.startUpgrade("Nodes");
  for (let task = 0; task < TASKS; task += 1) tracker.addTask(`t${task}`, `Node ${task}`);
  for (let task = 0; task < TASKS; task += 1) {
    tracker.startTask(`t${task}`);
    tracker.appendLog(`t${task}`, `node ${task} is cordoned`);
    for (let report = 0; report < REPORTS; report += 1) {
      clock.pass(report % 150 === 0 ? 6_000 : 20);
      tracker.updateTaskProgress(`t${task}`, report / 6);
    }
    tracker.completeTask(`t${task}`);
    await tracker.flush();
  }
  tracker.completeUpgrade();
  await tracker.close();
  const answer = await fetch(`${server.url}/api/v1/upgrades/long/export?format=ndjson`);
  const lines = (await answer.text()).split("\n").filter((line) => line !== "");
  return statesOf(lines.map((line) => JSON.parse(line) as ProgressEvent));
}

/** Notes once a frame what the page says. */
const LOOK = `{
  globalThis.said = [];
  const look = () => {
    said.push({
      seq: Number(/event (\\d+) of/.exec(document.querySelector(".travel-text")?.textContent)?.[1]),
      percent: document.querySelector("[data-number=percent]")?.textContent,
      counts: document.querySelector("[data-number=counts]")?.firstChild?.textContent,
    });
    requestAnimationFrame(look);
  };
  look();
}`;

interface Said {
  readonly seq: number;
  readonly percent: string;
  readonly counts: string;
}

it("plays an upgrade that is longer than what is held, over the border of it: exactly, never back, to the end", async () => {
  const server = await startServer();
  const states = await recordLong(server);
  const from = 1_500;
  const page = await openPage({ url: `${server.url}/upgrades/long?at=${from}` });
  await page.getByText(`(event ${from} of`).waitFor();
  await page.getByLabel("Speed").selectOption("600");
  await page.evaluate(LOOK);
  // While the log is still being read: its end is not the end of what was read so far.
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
  await page.getByRole("button", { name: "Play", exact: true }).waitFor({ timeout: 30_000 });
  const said = (await page.evaluate<Said[]>("said")).filter(({ seq }) => seq > 0);
  const places = said.filter(({ seq }, index) => seq !== said[index - 1]?.seq);
  expect(places.length).toBeGreaterThan(20);
  expect(places.map(({ seq }) => seq)).toEqual(places.map(({ seq }) => seq).sort((a, b) => a - b));
  expect(places.at(-1)?.seq).toBeGreaterThan(states.length - 3_000);
  for (const { seq, percent, counts } of places) {
    const state = states[seq - 1] as UpgradeProgress;
    const view = upgradeView(state, { asOfMs: Date.parse(state.clock.lastTime ?? "") });
    expect({ seq, percent, counts }).toEqual({ seq, percent: percentText(view.percent), counts: countsText(view) });
  }

  // The first click on the slider goes there, although nothing was read before it.
  const other = await openPage({ url: `${server.url}/upgrades/long?task=t0` });
  const slider = other.locator("input[type=range]");
  await slider.click();
  await other.getByText("The past", { exact: true }).waitFor();
  const at = Number(/event (\d+) of/.exec((await slider.getAttribute("aria-valuetext")) ?? "")?.[1]);
  expect(Math.abs(at - states.length / 2)).toBeLessThan(1_000);
  // A task that ended before what is held has printed something all the same.
  const panel = other.getByRole("region", { name: "Task Node 0" });
  await panel.getByRole("button", { name: "Go back to earlier ones" }).click();
  await panel.getByText("node 0 is cordoned").waitFor();
}, 60_000);
