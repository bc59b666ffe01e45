/** The list of all upgrades, as people use it. */

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { memory } from "../../src/storage/memory.ts";
import { expectAccessible } from "./axe.ts";
import { openPage } from "./browser.ts";
import { HOSTILE_IDS, HOSTILE_TEXTS } from "./hostile-texts.ts";
import { startServer, type Served } from "./served.ts";

/** Three under way, one failed, one completed. */
async function servedFleet(): Promise<Served> {
  const server = await startServer();
  const [eu, us, held] = [server.track("eu"), server.track("us", { clusterName: "prod-us" }), server.track("held")];
  for (const tracker of [eu, us, held]) {
    tracker.startUpgrade("Control plane");
    tracker.addTask("t1", "Drain nodes");
    tracker.startTask("t1");
  }
  eu.updateTaskProgress("t1", 40);
  held.setWaitingOn("t1", { kind: "PodDisruptionBudget", name: "web/api", message: "1 of 1 pods must stay" });
  const [failed, completed] = [server.track("broken", { clusterName: "staging" }), server.track("done")];
  for (const tracker of [failed, completed]) tracker.startUpgrade("Validation");
  failed.failUpgrade("coredns did not become ready");
  completed.completeUpgrade();
  return server;
}

const names = (page: Page): Promise<string[]> => page.locator(".fleet-id").allInnerTexts();
const row = (page: Page, name: string) => page.locator(".fleet-row", { has: page.getByText(name, { exact: true }) });

describe("the fleet", () => {
  it("puts what needs somebody first, then what is under way, then what has ended", async () => {
    const server = await servedFleet();
    const page = await openPage({ url: server.url });
    await row(page, "broken").waitFor();
    expect(await page.locator("h2").allInnerTexts()).toEqual(["Needs attention 1", "Under way 3", "Ended 1"]);
    expect(await names(page)).toEqual(["broken", "held", "us", "eu", "done"]);
    expect(await row(page, "broken").innerText()).toMatch(/failed\s+coredns did not become ready/);
    expect(await row(page, "held").innerText()).toMatch(/waiting[\s\S]*PodDisruptionBudget web\/api: 1 of 1 pods/);
    expect(await row(page, "eu").innerText()).toMatch(/40%/);
    expect(await row(page, "us").innerText()).toMatch(/unknown/);
    expect(await row(page, "us").getByRole("progressbar").getAttribute("aria-valuenow")).toBeNull();
    expect(await page.title()).toBe("(1) Upgrades · Milepost");
  });

  it("shows what happens, and what begins, as it happens", async () => {
    const server = await servedFleet();
    const page = await openPage({ url: server.url });
    await row(page, "eu").getByText("40%").waitFor();
    const late = server.track("late");
    late.startUpgrade("Pre-flight");
    await row(page, "late").getByText("Pre-flight").waitFor();
    late.completeUpgrade();
    await row(page, "late").getByText("completed").waitFor();
    expect(await page.locator("h2").last().innerText()).toBe("Ended 2");
  });

  it.each([-600_000, 600_000])("tells times by the server's clock, with its own %i ms off", async (aheadMs) => {
    const server = await servedFleet();
    const page = await openPage({ url: server.url, aheadMs });
    await row(page, "eu")
      .getByText(/^for \d+s$/)
      .waitFor();
    await row(page, "held")
      .getByText(/^waiting \d+s$/)
      .waitFor();
  });

  it("searches, filters and sorts, and has all of it in the address", async () => {
    const server = await servedFleet();
    const page = await openPage({ url: server.url });
    await page.getByRole("searchbox").fill("PROD control");
    await expect.poll(() => names(page)).toEqual(["held", "us", "eu"]);
    await page.getByRole("combobox", { name: /^Cluster/ }).selectOption("prod-us");
    await expect.poll(() => names(page)).toEqual(["us"]);
    await expect.poll(() => new URL(page.url()).search).toBe("?q=PROD+control&cluster=prod-us");
    await page.getByRole("searchbox").fill("");
    await page.getByRole("combobox", { name: /^Cluster/ }).selectOption("");
    await page.getByRole("button", { name: "Under way" }).click();
    await page.getByRole("combobox", { name: /^Order/ }).selectOption("name");
    await expect.poll(() => names(page)).toEqual(["eu", "held", "us"]);
    await expect.poll(() => new URL(page.url()).search).toBe("?status=under_way&sort=name");
    await page.reload();
    await expect.poll(() => names(page)).toEqual(["eu", "held", "us"]);
    expect(await page.getByRole("button", { name: "Under way" }).getAttribute("aria-pressed")).toBe("true");
    await page.goto(`${server.url}/?q=no+such+thing`);
    await page.getByRole("button", { name: "Show all" }).click();
    await expect.poll(async () => (await names(page)).length).toBe(5);
  });

  it("is used by keyboard alone", async () => {
    const server = await servedFleet();
    const page = await openPage({ url: server.url });
    await row(page, "broken").waitFor();
    const focused = (): Promise<string> =>
      page.evaluate("document.activeElement.querySelector('.fleet-id')?.innerText");
    await page.keyboard.press("/");
    await page.keyboard.type("prod-eu");
    await expect.poll(() => names(page)).toEqual(["held", "eu", "done"]);
    await page.keyboard.press("ArrowDown");
    await expect.poll(focused).toBe("held");
    await page.keyboard.press("ArrowDown");
    await expect.poll(focused).toBe("eu");
    await page.keyboard.press("End");
    await expect.poll(focused).toBe("done");
    await page.keyboard.press("ArrowUp");
    await expect.poll(focused).toBe("eu");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${server.url}/upgrades/eu`);
    await page.goBack();
    await expect.poll(() => names(page)).toEqual(["held", "eu", "done"]);
  });

  it("says how to begin while there is no upgrade, and then shows it", async () => {
    const server = await startServer();
    const page = await openPage({ url: server.url });
    await page.getByText("milepost run --").waitFor();
    await expectAccessible(page);
    server.track("first").startUpgrade();
    await row(page, "first").waitFor();
  });

  const looks = [
    { width: 1440, colorScheme: "dark" },
    { width: 360, colorScheme: "light" },
    { width: 1440, colorScheme: "light" },
    { width: 360, colorScheme: "dark" },
  ] as const;
  it.each(looks.slice(0, process.env["MILEPOST_LONG"] === undefined ? 2 : 4))(
    "is accessible and not wider than the window: $width px, $colorScheme",
    async (look) => {
      const server = await servedFleet();
      const page = await openPage({ url: server.url, ...look });
      await row(page, "broken").waitFor();
      await expectAccessible(page);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(look.width);
      // A row that is too wide for its place need not be for the window.
      const overhang = "[...document.querySelectorAll('.filters *')].map((each) => each.getBoundingClientRect().right)";
      const edge = await page.evaluate<number>("document.querySelector('.filters').getBoundingClientRect().right");
      expect(Math.max(...(await page.evaluate<number[]>(overhang)))).toBeLessThanOrEqual(edge + 0.5);
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("dialog").waitFor();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await page.goto(`${server.url}/?q=nothing`);
      await page.getByRole("button", { name: "Show all" }).waitFor();
      await expectAccessible(page);
    },
  );

  it("keeps the theme and the time zone that were chosen", async () => {
    const server = await servedFleet();
    const page = await openPage({ url: server.url, timezoneId: "Pacific/Kiritimati" });
    await row(page, "done").waitFor();
    const ground = (): Promise<string> => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const light = await ground();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Dark").check();
    await page.getByLabel("UTC").check();
    await expect.poll(ground).not.toBe(light);
    await page.reload();
    await row(page, "done").waitFor();
    expect(await ground()).not.toBe(light);
    const summary = await fetch(`${server.url}/api/v1/upgrades/done/summary`);
    const { completedAt } = (await summary.json()) as { readonly completedAt: string };
    const ended = row(page, "done").getByText(`ended ${completedAt.slice(11, 16)}`);
    await ended.waitFor();
  });

  it("has as many rows as fit, of a thousand upgrades, and reaches the last", async () => {
    const storage = memory();
    const server = await startServer({ storage });
    for (let n = 1; n <= 1000; n += 1) {
      const tracker = server.track(`u${String(n).padStart(4, "0")}`, { storage });
      tracker.startUpgrade("Control plane");
      if (n > 3) tracker.completeUpgrade();
      await tracker.close();
    }
    const page = await openPage({ url: `${server.url}/?sort=name` });
    await page.getByRole("button", { name: "997 Ended" }).waitFor();
    await row(page, "u0001").waitFor();
    expect((await names(page)).length).toBeLessThan(60);
    await page.keyboard.press("End");
    await expect.poll(() => row(page, "u1000").isVisible()).toBe(true);
    expect((await names(page)).length).toBeLessThan(60);
    await page.getByRole("searchbox").fill("u0500");
    await expect.poll(() => names(page)).toEqual(["u0500"]);
  });

  it("[X4] has names, phases and messages of others as text, whatever is in them", async () => {
    const storage = memory();
    const server = await startServer({ storage });
    for (const [index, upgradeId] of HOSTILE_IDS.entries()) {
      const text = HOSTILE_TEXTS[index] ?? "";
      const tracker = server.track(upgradeId, { storage, clusterName: upgradeId, planId: upgradeId });
      tracker.startUpgrade(text);
      tracker.addTask("t1", text);
      tracker.startTask("t1");
      if (index % 2 === 0) tracker.setWaitingOn("t1", { kind: "pod", name: text, message: text });
      else tracker.failUpgrade(text);
    }
    const page = await openPage({ url: server.url });
    await page.locator(".fleet-row").first().waitFor();
    for (const text of [HOSTILE_TEXTS[1], HOSTILE_TEXTS[30]]) {
      await page.goto(`${server.url}/?q=${encodeURIComponent(text ?? "")}&status=${encodeURIComponent(text ?? "")}`);
      await page.getByRole("button", { name: "Show all" }).click();
      await page.locator(".fleet-row").first().waitFor();
    }
    for (const key of ["End", "Home"]) {
      await page.keyboard.press(key);
      for (let y = 100; y < 900; y += 50) await page.mouse.move(600, y);
    }
    expect(await page.evaluate("globalThis.ran")).toBeUndefined();
    const made = "main :is(script, iframe, object, base, meta, link, style, template, math, img)";
    expect(await page.locator(made).count()).toBe(0);
  });
});
