import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { expectAccessible } from "./axe.ts";
import { openPage } from "./browser.ts";
import { recordUpgrade } from "./recorded.ts";
import { startServer } from "./served.ts";

it("shows what tasks print as they print it, follows, is searched and can be had as a file", async () => {
  const server = await startServer();
  const tracker = server.track("u1");
  tracker.startUpgrade("Check");
  for (const id of ["a", "b"]) {
    tracker.addTask(id, `Task ${id}`);
    tracker.startTask(id);
    tracker.appendLog(id, Array.from({ length: 300 }, (_, line) => `${id} says ${line} <b>`).join("\n"));
  }
  const page = await openPage({ url: `${server.url}/upgrades/u1?tab=log`, width: 1000 });
  const lines = page.locator(".log-text");
  await page.getByText("600 lines").waitFor();
  expect(await lines.last().textContent()).toBe("b says 299 <b>");
  expect(await lines.count()).toBeLessThan(100);
  tracker.appendLog("a", "the newest \u001b[31mline");
  await page.getByText("the newest \\x1b[31mline").waitFor();
  await page.getByLabel("Task", { exact: true }).selectOption("a");
  await page.getByText("301 lines").waitFor();
  await page.getByLabel("Search the log").fill("says 29");
  await page.getByText("13 lines").waitFor();
  expect(await page.locator("mark").first().textContent()).toBe("says");
  await expectAccessible(page);
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe("u1.log");
  expect(readFileSync(await download.path(), "utf8")).toMatch(/^2\S+Z Task a: a says 29 <b>\n/);
});

it("stays where one reads until following is asked for again", async () => {
  const server = await startServer();
  const tracker = server.track("u1");
  tracker.startUpgrade("Check");
  tracker.addTask("a", "a");
  tracker.startTask("a");
  tracker.appendLog("a", Array.from({ length: 300 }, (_, line) => `line ${line}`).join("\n"));
  const page = await openPage({ url: `${server.url}/upgrades/u1?tab=log`, width: 1000 });
  await page.getByText("line 299", { exact: true }).waitFor();
  const follow = page.getByRole("button", { name: "Follow" });
  await page.locator(".log-rows").evaluate((element) => (element.scrollTop = 0));
  await page.getByText("line 0", { exact: true }).waitFor();
  await page.locator(`button[aria-pressed=false]`, { hasText: "Follow" }).waitFor();
  tracker.appendLog("a", "one more");
  await page.getByText("301 lines").waitFor();
  expect(await page.getByText("one more").count()).toBe(0);
  await follow.click();
  await page.getByText("one more").waitFor();
});

it("shows what had been printed at a moment of the past, and says when there is nothing", async () => {
  const server = await startServer();
  await recordUpgrade(server);
  const page = await openPage({ url: `${server.url}/upgrades/u1?tab=log&at=12`, width: 360, colorScheme: "dark" });
  await page.getByText("1 line", { exact: true }).waitFor();
  await page.getByText("4 later lines not shown: this is the past.").waitFor();
  await expectAccessible(page);
  const empty = server.track("u2");
  empty.startUpgrade("Check");
  const other = await openPage({ url: `${server.url}/upgrades/u2?tab=log`, width: 1000 });
  await other.getByText("No task has printed anything.").waitFor();
  await expectAccessible(other);
});
