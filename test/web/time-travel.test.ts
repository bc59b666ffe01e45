import type { Page } from "playwright-core";
import { expect, it } from "vitest";

import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import { durationText, percentText } from "../../src/view/text/duration.ts";
import { STATUS_WORDS } from "../../src/view/text/status-words.ts";
import { countsText, upgradeView } from "../../src/view/upgrade/upgrade-view.ts";
import { expectAccessible } from "./axe.ts";
import { openPage } from "./browser.ts";
import { eventsOf, recordUpgrade, statesOf } from "./recorded.ts";
import { startServer } from "./served.ts";

const SLIDER = "input[type=range]";

/** What the head of the page says. */
const shownOf = (page: Page) =>
  page.evaluate<Record<string, string | null>>(`({
    at: new URL(location.href).searchParams.get("at"),
    percent: document.querySelector("[data-number=percent]")?.textContent,
    elapsed: document.querySelector("[data-number=elapsed]")?.textContent,
    paused: document.querySelector("[data-number=paused]")?.textContent ?? null,
    counts: document.querySelector("[data-number=counts]")?.firstChild?.textContent,
    status: document.querySelector(".head-marks .mark, .head-marks .pill")?.textContent,
  })`);

/** The same, from the fold of the events up to there. */
function expectedOf(state: UpgradeProgress): Record<string, string | null> {
  const view = upgradeView(state, { asOfMs: Date.parse(state.clock.lastTime ?? "") });
  return {
    percent: view.status === "not_started" ? "–" : percentText(view.percent),
    elapsed: view.elapsedMs === null ? "–" : durationText(view.elapsedMs),
    paused: view.pausedMs > 0 ? durationText(view.pausedMs) : null,
    counts: countsText(view),
    status: STATUS_WORDS[view.status].word,
  };
}

/** Presses a key on the slider and waits until the page says that it stands there. */
async function pressAndSettle(page: Page, key: string, seq: number): Promise<void> {
  await page.press(SLIDER, key);
  await page.waitForFunction(
    ([selector, position]) =>
      document
        .querySelector(selector as string)
        ?.getAttribute("aria-valuetext")
        ?.includes(position as string),
    [SLIDER, `event ${seq} of`],
  );
}

it("shows at every event exactly the fold of the log up to there, back to the first and on again", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const states = statesOf(await eventsOf(server, "u1"));
  const page = await openPage({ url: `${server.url}/upgrades/u1?at=${states.length - 1}` });
  await page.getByText("The past", { exact: true }).waitFor();
  for (let seq = states.length - 1; seq > 1; seq -= 1) {
    const { at: _, ...shown } = await shownOf(page);
    expect({ seq, ...shown }).toEqual({ seq, ...expectedOf(states[seq - 1] as UpgradeProgress) });
    await pressAndSettle(page, "ArrowLeft", seq - 1);
  }
  await pressAndSettle(page, "PageUp", 11);
  const { at: _, ...shown } = await shownOf(page);
  expect(shown).toEqual(expectedOf(states[10] as UpgradeProgress));
  // The last event is now.
  await page.press(SLIDER, "End");
  await page.getByText("The past", { exact: true }).waitFor({ state: "detached" });
  expect((await shownOf(page))["percent"]).toBe("100%");
});

it("opens at the moment that a link names, says so, and comes back to what is live", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const events = await eventsOf(server, "u1");
  const failed = events.find(({ type }) => type === "task.failed")?.seq ?? 0;
  const page = await openPage({ url: `${server.url}/upgrades/u1?at=${failed}&tab=timeline` });
  await page.getByText(`(event ${failed} of ${events.length})`).waitFor();
  expect(await page.locator(".travel-event").textContent()).toContain("failed (7m 00s): timed out");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Back to live" }).click();
  await page.getByText("The past", { exact: true }).waitFor({ state: "detached" });
  await page.waitForFunction(() => !location.search.includes("at="));
  expect((await shownOf(page))["status"]).toBe("completed");
});

it("goes to any moment of a log that is longer than what the page holds, and on to what came before", async () => {
  const server = await startServer();
  const tracker = server.track("long");
  tracker.startUpgrade("Check");
  for (let task = 0; task < 50; task += 1) tracker.addTask(`t${task}`, `Task ${task}`);
  for (let task = 0; task < 50; task += 1) tracker.startTask(`t${task}`);
  for (let event = 0; event < 21_400; event += 1) tracker.updateTaskProgress(`t${event % 50}`, Math.floor(event / 215));
  for (let task = 0; task < 30; task += 1) tracker.completeTask(`t${task}`);
  await tracker.flush();
  const states = statesOf(await eventsOf(server, "long"));
  const page = await openPage({ url: `${server.url}/upgrades/long?at=700` });
  const isAt = async (seq: number): Promise<void> => {
    await page.getByText(`(event ${seq} of`).waitFor({ timeout: 30_000 });
    const { percent, counts } = await shownOf(page);
    const expected = expectedOf(states[seq - 1] as UpgradeProgress);
    expect({ percent, counts }).toEqual({ percent: expected["percent"], counts: expected["counts"] });
  };
  await isAt(700);
  await pressAndSettle(page, "ArrowLeft", 699);
  await isAt(699);
  await page.getByRole("button", { name: "Back to live" }).click();
  await page.getByRole("button", { name: "Go back to earlier ones" }).click();
  await page.getByText("The past", { exact: true }).waitFor();
  await page.waitForFunction(() => /of 21\d{3}\)/.test(document.querySelector(".travel-text")?.textContent ?? ""));
  // The address follows a little later, so that dragging does not fill it with every step.
  await page.waitForURL((url) => url.searchParams.has("at"));
  const seq = Number(new URL(page.url()).searchParams.get("at"));
  expect(seq).toBeGreaterThan(1_000);
  await isAt(seq);
  await expectAccessible(page);
});

it("says that a moment is not there, and leads back", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const page = await openPage({ url: `${server.url}/upgrades/u1?at=99999` });
  await page.getByText(/Event 99999 is not there: the log ends with event \d+ so far. This is live./).waitFor();
  expect((await shownOf(page))["percent"]).toBe("100%");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Back to live" }).click();
  await page.getByText("100%").first().waitFor();
});

it("plays from the beginning to the end at a speed, pauses, and ends live", async () => {
  const server = await startServer();
  await recordUpgrade(server, { pace: 0.3 });
  const page = await openPage({ url: `${server.url}/upgrades/u1`, reducedMotion: "reduce" });
  await page.locator(".travel-mark").first().waitFor();
  await page.getByLabel("Speed").selectOption("30");
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.getByText("The past", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  const { at } = await shownOf(page);
  const paused = await page.locator(".travel-text").textContent();
  await page.getByRole("button", { name: "One event on" }).click();
  await expect.poll(() => page.locator(".travel-text").textContent()).not.toBe(paused);
  await page.getByRole("button", { name: "One event back" }).click();
  expect(Number((await shownOf(page))["at"] ?? at)).toBeGreaterThan(0);
  await page.getByLabel("Speed").selectOption("600");
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.getByText("The past", { exact: true }).waitFor({ state: "detached" });
  expect((await shownOf(page))["percent"]).toBe("100%");
});

it("goes from mark to mark: failures, phases, findings", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const page = await openPage({ url: `${server.url}/upgrades/u1` });
  await page.locator(".travel-mark").first().waitFor();
  const said: (string | null)[] = [];
  for (let mark = 0; mark < 4; mark += 1) {
    await page.getByRole("button", { name: "Previous mark" }).click();
    await page.waitForFunction(
      (last) => ![null, undefined, last].includes(document.querySelector(".travel-event")?.textContent),
      said.at(-1),
    );
    said.push(await page.locator(".travel-event").textContent());
  }
  expect(said).toEqual([
    expect.stringContaining("upgrade completed"),
    expect.stringContaining("failed (7m 00s): timed out"),
    expect.stringContaining("warning: a pod cannot be evicted"),
    "phase Nodes",
  ]);
});

it("goes on with the next run, and does not take a place in the old one for one in it", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const page = await openPage({ url: `${server.url}/upgrades/u1?at=12` });
  await page.getByText("The past", { exact: true }).waitFor();
  const tracker = server.track("u1");
  tracker.startUpgrade("Again");
  await page.getByText("The past", { exact: true }).waitFor({ state: "detached" });
  await page.getByText("Again").first().waitFor();
  await page.getByText("run 2").first().waitFor();
  tracker.addTask("t", "A task of the second run");
  tracker.startTask("t");
  await page.getByText("task A task of the second run started").waitFor();
  expect(await page.getByText("ip-10-0-1-17").count()).toBe(0);
});

it("reads on after the server was gone", async () => {
  const server = await startServer();
  const tracker = server.track("u1");
  tracker.startUpgrade("Before");
  const page = await openPage({
    url: `${server.url}/upgrades/u1?tab=events`,
    expected: [/ERR_CONNECTION|Failed to load|WebSocket/],
  });
  await page.getByText("started: Before").waitFor();
  await server.stop();
  tracker.setCurrentPhase("Meanwhile");
  await server.startAgain();
  tracker.setCurrentPhase("Afterwards");
  await page.getByText("phase Afterwards").waitFor();
  await page.getByText("phase Meanwhile").waitFor();
});
