import { expect, it } from "vitest";

import { expectAccessible } from "./axe.ts";
import { openPage } from "./browser.ts";
import { recordUpgrade } from "./recorded.ts";
import { startServer } from "./served.ts";

const SOME_HTML = `<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>\u202e`;

it("lists what happens in words as it happens, the newest first, and leads to each moment", async () => {
  const server = await startServer();
  const tracker = server.track("u1");
  tracker.startUpgrade("Check");
  const page = await openPage({ url: `${server.url}/upgrades/u1?tab=events`, width: 1000 });
  const rows = page.locator(".feed-text");
  await page.getByText("started: Check").waitFor();
  tracker.setCurrentPhase("Nodes");
  await page.getByText("phase Nodes").waitFor();
  expect(await rows.allTextContents()).toEqual(["phase Nodes", "upgrade u1 on prod-eu started: Check"]);
  await page.getByRole("button", { name: "Newest first" }).click();
  expect((await rows.allTextContents())[0]).toContain("started: Check");
  await expectAccessible(page);
  await page.locator(".feed-time").first().click();
  await page.getByText("The past", { exact: true }).waitFor();
  expect(await rows.allTextContents()).toEqual(["upgrade u1 on prod-eu started: Check"]);
  await page.getByText("1 later event not shown: this is the past.").waitFor();
});

it("is searched and filtered, and says when nothing is found", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const page = await openPage({ url: `${server.url}/upgrades/u1?tab=events`, width: 1000 });
  const rows = page.locator(".feed-text");
  await rows.first().waitFor();
  await page.getByLabel("Search events").fill("TIMED out");
  expect(await rows.allTextContents()).toEqual(["task ip-10-0-2-81 failed (7m 00s): timed out"]);
  expect(await page.locator("mark").allTextContents()).toEqual(["timed", "out"]);
  await page.getByLabel("Search events").fill("(a+)+$");
  await page.getByText("No event here is of this kind.").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Show all events" }).click();
  const all = await rows.count();
  for (const kind of ["status", "progress", "insight", "health", "phase"])
    await page.getByRole("button", { name: kind, exact: true }).click();
  expect(await rows.allTextContents()).toEqual([
    "task ip-10-0-2-81 waits on PodDisruptionBudget shop/checkout (remedy: scale it up)",
  ]);
  expect(all).toBeGreaterThan(5);
});

it("holds 20,000 events with the rows in sight only, and shows markup as text", async () => {
  const server = await startServer();
  const tracker = server.track("u1");
  tracker.startUpgrade("Check");
  tracker.addTask("t", SOME_HTML);
  tracker.startTask("t");
  for (let event = 0; event < 20_000; event += 1) tracker.setCurrentPhase(`${event % 2}`, `${SOME_HTML} ${event}`);
  await tracker.flush();
  const page = await openPage({ url: `${server.url}/upgrades/u1?tab=events`, width: 1000 });
  await page.getByText("20002 events").waitFor({ timeout: 30_000 });
  const nodes = () => page.evaluate(() => document.querySelectorAll("*").length);
  expect(await nodes()).toBeLessThan(1_500);
  const box = page.locator(".feed-rows");
  await box.evaluate((element) => (element.scrollTop = element.scrollHeight / 2));
  await page.waitForFunction(() => document.querySelector(".feed-rows li")?.getAttribute("aria-posinset") !== "1");
  expect(await nodes()).toBeLessThan(1_500);
  await page.getByLabel("Search events").fill("onerror");
  await page.getByText("1 event", { exact: true }).waitFor();
  expect(await page.evaluate("globalThis.ran")).toBeUndefined();
  expect(await page.locator(".feed-text").allTextContents()).toEqual([expect.stringContaining("<img src=x onerror=")]);
});

it("is used by keyboard alone, on a phone too", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const page = await openPage({
    url: `${server.url}/upgrades/u1?tab=events`,
    width: 360,
    height: 780,
    colorScheme: "dark",
  });
  const first = page.locator(".feed-time").first();
  await first.waitFor();
  await first.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByText("The past", { exact: true }).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await expectAccessible(page);
});
