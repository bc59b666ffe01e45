import type { Page } from "playwright-core";
import { expect, it } from "vitest";

import { expectAccessible } from "./axe.ts";
import { openPage } from "./browser.ts";
import { HOUR_AGO, recordUpgrade } from "./recorded.ts";
import { startServer } from "./served.ts";

const DAY = 86_400_000;

/** Texts on the chart that cover each other, or a bar that is not theirs. */
const overlaps = (page: Page) =>
  page.evaluate(() => {
    const faults: string[] = [];
    const meet = (a: DOMRect, b: DOMRect) =>
      Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 &&
      Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;
    const check = (elements: readonly Element[]) => {
      elements.forEach((one, index) => {
        for (const other of elements.slice(index + 1))
          if (meet(one.getBoundingClientRect(), other.getBoundingClientRect()))
            faults.push(`${one.className} ${one.textContent} / ${other.className} ${other.textContent}`);
      });
    };
    check([...document.querySelectorAll(".chart-tick")]);
    check([...document.querySelectorAll(".chart-phase-phase")]);
    for (const lane of document.querySelectorAll(".lane")) {
      const label = lane.querySelector(".lane-label:not(.lane-label-inside)");
      if (label === null) continue;
      for (const bar of lane.querySelectorAll(".lane-bar, .lane-stretch, .lane-plan"))
        if (meet(label.getBoundingClientRect(), bar.getBoundingClientRect()))
          faults.push(`${label.textContent} / ${bar.className}`);
      const track = lane.querySelector(".lane-track")?.getBoundingClientRect();
      const box = label.getBoundingClientRect();
      if (track && (box.left < track.left - 1 || box.right > track.right + 13))
        faults.push(`${label.textContent} is outside`);
    }
    return faults;
  });

it("draws attempts, pauses and waits beside the plan of earlier upgrades; words and bars never cover each other", async () => {
  const server = await startServer();
  await recordUpgrade(server, { upgradeId: "u1", startedAt: HOUR_AGO() - DAY });
  const startedAt = HOUR_AGO();
  await recordUpgrade(server, { upgradeId: "u2", startedAt, pace: 1.5 });
  const page = await openPage({ url: `${server.url}/upgrades/u2?tab=timeline` });
  await page.getByText("behind the usual").waitFor();
  const lane = (name: string) => page.locator(".lane", { has: page.locator(`.lane-name:has-text("${name}")`) });
  await lane("Control plane").locator(".lane-stretch-paused").waitFor();
  expect(await lane("ip-10-0-2-81").locator(".lane-bar").count()).toBe(2);
  expect(await lane("ip-10-0-2-81").locator(".lane-bar-failed").count()).toBe(1);
  expect(await lane("ip-10-0-2-81").locator(".lane-stretch-waiting").count()).toBe(1);
  expect(await lane("ip-10-0-2-81").locator(".lane-plan").count()).toBe(1);
  // The scale tells the times at which it ran.
  const [hours = 0, minutes = 0] = ((await page.locator(".chart-tick").first().textContent()) ?? "")
    .split(":")
    .map(Number);
  const began = new Date(startedAt);
  expect((hours * 60 + minutes - began.getHours() * 60 - began.getMinutes() + 1440) % 1440).toBeLessThanOrEqual(15);
  const name = await lane("ip-10-0-2-81").getByRole("button").getAttribute("aria-label");
  expect(name).toMatch(
    /completed, from .* worked 4m 30s, usually 3m 00s \(1 earlier upgrade\), 1m 30s over usual, attempt 1 failed after 10m 30s: timed out/,
  );
  expect(await overlaps(page)).toEqual([]);
  await expectAccessible(page);
  for (let zoom = 0; zoom < 5; zoom += 1) {
    await page.getByRole("button", { name: "Zoom in" }).click();
    expect(await overlaps(page)).toEqual([]);
  }
});

it("says all of a lane to the keyboard: moves, zooms, pans, folds, and shows what is known of it", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const page = await openPage({ url: `${server.url}/upgrades/u1?tab=timeline` });
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label")?.split(":")[0]);
  await page.locator(".lane-name").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label")?.startsWith("Control plane"));
  const tip = page.getByRole("tooltip");
  expect(await tip.textContent()).toContain("Paused3m 00s");
  expect(await page.locator("[aria-describedby=timeline-tip]").count()).toBe(1);
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await tip.waitFor({ state: "detached" });
  const ticks = () => page.locator(".chart-tick").allTextContents();
  const before = await ticks();
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  await expect.poll(ticks).not.toEqual(before);
  await page.keyboard.press("0");
  await expect.poll(ticks).toEqual(before);
  await page.keyboard.press("+");
  await expect.poll(ticks).not.toEqual(before);
  const near = await ticks();
  await page.keyboard.press("ArrowRight");
  await expect.poll(ticks).not.toEqual(near);
  await page.keyboard.press("0");
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label")?.startsWith("Nodes"));
  const count = await page.locator(".lane").count();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator(".lane").count()).toBe(count - 2);
  expect(await focused()).toBe("Nodes");
});

it("is zoomed by wheel with ctrl round the pointer, and moved by dragging", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const page = await openPage({ url: `${server.url}/upgrades/u1?tab=timeline` });
  const track = page.locator(".lane-track").nth(2);
  await track.hover();
  const ticks = () => page.locator(".chart-tick").allTextContents();
  const before = await ticks();
  await page.keyboard.down("Control");
  for (let turn = 0; turn < 4; turn += 1) await page.mouse.wheel(0, -120);
  await page.keyboard.up("Control");
  await page.waitForFunction((old) => document.querySelector(".chart-tick")?.textContent !== old, before[0]);
  const near = await ticks();
  const box = await track.boundingBox();
  if (box === null) throw new Error("no track");
  await page.mouse.move(box.x + 100, box.y + 5);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 5, { steps: 5 });
  await page.mouse.up();
  await expect.poll(ticks).not.toEqual(near);
});

it("is a table for who wants one, and fits a phone", async () => {
  const server = await startServer();
  await recordUpgrade(server, { isFailing: true });
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await openPage({
      url: `${server.url}/upgrades/u1?tab=timeline`,
      width: 360,
      height: 780,
      colorScheme,
    });
    await page.locator(".chart .lane-bar-failed").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    expect(await overlaps(page)).toEqual([]);
    await expectAccessible(page);
    await page.getByRole("button", { name: "As a table" }).click();
    const row = page.getByRole("row", { name: /ip-10-0-2-81/ });
    expect(await row.textContent()).toContain(
      "attempt 1 failed after 7m 00s: timed out; waited 5m 00s on PodDisruptionBudget shop/checkout",
    );
    await expectAccessible(page);
  }
});

it("has the lanes in sight only of 10,000 tasks, and says what is missing of an upgrade without any", async () => {
  const server = await startServer();
  const tracker = server.track("big");
  tracker.startUpgrade("Check");
  tracker.addTasks(
    Array.from({ length: 10_000 }, (_, index) => ({ taskId: `t${index}`, taskName: `<b>Task ${index}` })),
  );
  for (let index = 0; index < 200; index += 1) tracker.startTask(`t${index}`);
  await tracker.flush();
  const page = await openPage({ url: `${server.url}/upgrades/big?tab=timeline` });
  await page.locator(".lane").first().waitFor({ timeout: 30_000 });
  expect(await page.locator(".lane").count()).toBeLessThan(80);
  await page.locator(".chart").evaluate((element) => (element.scrollTop = element.scrollHeight));
  await page.getByText("<b>Task 9999", { exact: true }).waitFor();
  expect(await page.locator(".lane").count()).toBeLessThan(80);
  server.track("empty").startUpgrade("Check");
  const empty = await openPage({ url: `${server.url}/upgrades/empty?tab=timeline` });
  await empty.getByText("No task was added yet.").waitFor();
  await expectAccessible(empty);
});
