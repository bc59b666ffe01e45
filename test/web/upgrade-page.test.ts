/** The page of one upgrade, in a real browser. */

import type { Page } from "playwright-core";
import type { ProgressTracker } from "milepost";
import { describe, expect, it } from "vitest";

import { expectAccessible } from "./axe.ts";
import { openContext, openPage } from "./browser.ts";
import { HOSTILE_IDS, HOSTILE_TEXTS } from "./hostile-texts.ts";
import { authOf, startServer } from "./served.ts";

const isLong = process.env["MILEPOST_LONG"] !== undefined;

const OPERATOR = "operator-0123456789-0123456789-0123456789";

const tree = (page: Page) => page.getByRole("tree", { name: "Tasks" });
const row = (page: Page, name: string | RegExp) => page.getByRole("treeitem", { name });
const names = (page: Page) => page.locator(".row-title").allTextContents();

/** Two groups of nodes: one done, one at work with a node that waits. */
function drain(tracker: ProgressTracker): void {
  tracker.startUpgrade("Node groups");
  for (const group of ["system", "workers"]) {
    tracker.addTask(group, `Group ${group}`, "upgrade_step", { unit: "nodes" });
    for (let node = 1; node <= 6; node++)
      tracker.addTask(`${group}-${node}`, `${group} node ${node}`, "upgrade_step", { parentTaskId: group });
  }
  for (let node = 1; node <= 6; node++) {
    tracker.startTask(`system-${node}`);
    tracker.completeTask(`system-${node}`);
  }
  tracker.startTask("workers-1");
  tracker.updateTaskProgress("workers-1", 40, "evicting pods", { pods: 4 });
  tracker.startTask("workers-2");
  const message = "the budget needs 2 healthy pods and has 2";
  const remedy = "kubectl -n shop scale deployment checkout --replicas=3";
  tracker.setWaitingOn("workers-2", { kind: "PodDisruptionBudget", name: "shop/checkout", message, remedy });
  tracker.startTask("workers-3");
  tracker.failTask("workers-3", "no capacity in eu-west-1a");
  tracker.retryTask("workers-3");
  tracker.failTask("workers-3", "no capacity in eu-west-1b");
}

describe("the page of an upgrade", () => {
  it("shows what happens as it happens, and what asks for somebody on top with what to do", async () => {
    const server = await startServer();
    const tracker = server.track("u1");
    drain(tracker);
    const page = await openPage({ url: `${server.url}/upgrades/u1` });
    await page.getByRole("heading", { name: "u1" }).waitFor();
    const attention = page.getByRole("region", { name: /Needs attention/ });
    await attention.getByText("workers node 2 waits on PodDisruptionBudget shop/checkout").waitFor();
    expect(await attention.locator(".attention-item").allTextContents()).toEqual([
      expect.stringMatching(/^failed.*workers node 3no capacity in eu-west-1b.*attempt 2/),
      expect.stringMatching(/^waiting.*needs 2 healthy pods.*kubectl -n shop scale/),
    ]);
    expect(await page.locator("[data-number=counts]").textContent()).toBe(
      "6 of 14 tasks completed, 1 running, 1 waiting, 1 failed",
    );
    const latency = await latencyOf(page, () => tracker.updateTaskProgress("workers-1", 80, "2 pods left").time);
    if (isLong) expect(latency).toBeLessThan(200);
    tracker.clearWaitingOn("workers-2");
    await attention.getByText("waits on").waitFor({ state: "detached" });
    tracker.pauseUpgrade("for the night");
    await page.getByText("for the night").first().waitFor();
    tracker.resumeUpgrade();
    tracker.failUpgrade("out of capacity");
    await page.locator(".head-message").getByText("out of capacity").waitFor();
    expect(await page.getByRole("status").allTextContents()).toContainEqual(expect.stringContaining("failed"));
  });

  it("opens at the task that the address names, and closes it by the keyboard", async () => {
    const server = await startServer();
    const tracker = server.track("u1");
    drain(tracker);
    tracker.appendLog("system-5", "evicted 12 pods");
    const page = await openPage({ url: `${server.url}/upgrades/u1?task=system-5` });
    const panel = page.getByRole("region", { name: "Task system node 5" });
    await panel.getByText("evicted 12 pods").waitFor();
    // It stands in a row of six that are well, which is open now.
    await row(page, /^system node 5, completed/).waitFor();
    expect(await row(page, /^system node 5/).getAttribute("aria-selected")).toBe("true");
    await panel.getByRole("link", { name: "Group system" }).click();
    await page.getByRole("region", { name: "Task Group system" }).waitFor();
    expect(new URL(page.url()).searchParams.get("task")).toBe("system");
    await page.keyboard.press("Escape");
    await page.getByRole("region", { name: /^Task / }).waitFor({ state: "detached" });
    expect(await tree(page).evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it("has a tree that the keyboard walks through, opens, closes and searches", async () => {
    const server = await startServer();
    drain(server.track("u1"));
    const page = await openPage({ url: `${server.url}/upgrades/u1` });
    await tree(page).focus();
    const active = async () =>
      page.locator(`[id="${await tree(page).getAttribute("aria-activedescendant")}"] .row-said`).textContent();
    const press = async (...keys: readonly string[]) => {
      for (const key of keys) await page.keyboard.press(key);
      return active();
    };
    expect(await active()).toMatch(/^Group system, completed, 6\/6 nodes/);
    expect(await press("ArrowDown")).toMatch(/^Group workers, running/);
    expect(await press("ArrowRight")).toMatch(/^workers node 1, running, 40%/);
    expect(await press("ArrowLeft", "ArrowUp", "ArrowRight")).toMatch(/^Group system/);
    expect(await names(page)).toContain("6 of 6 nodes completed");
    expect(await press("ArrowRight", "ArrowRight")).toMatch(/^6 of 6 nodes completed/);
    expect(await press("ArrowDown")).toMatch(/^system node 1, completed/);
    expect(await press("w")).toMatch(/^workers node 1/);
    expect(await press("End")).toMatch(/^workers node 6/);
    expect(await press("Home", "ArrowLeft")).toMatch(/^Group system/);
    expect(await names(page)).not.toContain("6 of 6 nodes completed");
    await press("ArrowDown", "ArrowRight", "Enter");
    await page.getByRole("region", { name: "Task workers node 1" }).getByText('"pods": 4').waitFor();
  });

  it("finds tasks by words and by status, and keeps that in the address", async () => {
    const server = await startServer();
    drain(server.track("u1"));
    const page = await openPage({ url: `${server.url}/upgrades/u1?status=failed` });
    await expect.poll(() => names(page)).toEqual(["Group workers", "workers node 3"]);
    await page.getByRole("button", { name: /^failed/ }).click();
    await page.getByRole("searchbox", { name: "Find a task by words" }).fill("SYSTEM 4");
    await expect.poll(() => names(page)).toEqual(["Group system", "system node 4"]);
    await expect.poll(() => new URL(page.url()).search).toBe("?find=SYSTEM+4");
    await page.getByRole("searchbox", { name: "Find a task by words" }).fill("none like this");
    await page.getByRole("button", { name: "Show all tasks" }).click();
    await expect.poll(async () => (await names(page)).length).toBeGreaterThan(5);
  });

  it("shows ten thousand tasks by drawing those in view", async () => {
    const server = await startServer();
    const tracker = server.track("u1");
    tracker.startUpgrade("Nodes");
    const ids = Array.from({ length: 10_000 }, (_, index) => `node-${String(index).padStart(5, "0")}`);
    tracker.addTasks(ids.map((taskId) => ({ taskId, taskName: taskId })));
    tracker.startTask("node-09000");
    const page = await openPage({ url: `${server.url}/upgrades/u1?task=node-05000` });
    await row(page, /^node-05000, not started/).waitFor();
    expect(await page.locator(".row").count()).toBeLessThan(80);
    expect(await row(page, /^node-05000/).getAttribute("aria-setsize")).toBe("9999");
    await tree(page).focus();
    await page.keyboard.press("End");
    await row(page, /^node-09000, running/).waitFor();
  });

  it("shares a link with which others see this upgrade and change nothing", async () => {
    const server = await startServer({ auth: authOf(OPERATOR) });
    drain(server.track("u1"));
    const context = await openContext();
    await context.request.post(`${server.url}/api/v1/session`, { data: { token: OPERATOR } });
    const page = await openPage({ url: `${server.url}/upgrades/u1`, context });
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = await page.getByRole("dialog").locator("pre").textContent();
    const guest = await openPage({ url: link ?? "" });
    await guest.getByRole("heading", { name: "u1" }).waitFor();
    expect(guest.url()).toBe(`${server.url}/upgrades/u1`);
    await guest.getByText("read-only").waitFor();
    expect(await guest.getByRole("button", { name: "Share" }).count()).toBe(0);
  });

  it.each(["JSON", "NDJSON", "CSV"])("gives the whole log as %s", async (format) => {
    const server = await startServer();
    const tracker = server.track("u1");
    drain(tracker);
    const page = await openPage({ url: `${server.url}/upgrades/u1` });
    await page.getByText("Export").click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: new RegExp(`^${format}`) }).click(),
    ]);
    const text = Buffer.concat(await (await download.createReadStream()).toArray()).toString();
    const { seq } = tracker.progress;
    expect(download.suggestedFilename()).toBe(`u1.${format.toLowerCase()}`);
    if (format === "JSON") {
      const { events, upgrade } = JSON.parse(text) as { events: unknown[]; upgrade: { seq: number } };
      expect([events.length, upgrade.seq]).toEqual([seq, seq]);
    } else expect(text.trimEnd().split("\n").length).toBe(format === "CSV" ? seq + 1 : seq);
  });

  it("says what to do when there is nothing to show", async () => {
    const server = await startServer();
    const tracker = server.track("bare");
    tracker.startUpgrade("Preparation");
    const page = await openPage({ url: `${server.url}/upgrades/bare` });
    await page.getByText("No tasks yet.").waitFor();
    await page.goto(`${server.url}/upgrades/unknown`);
    await page.getByRole("heading", { name: "No upgrade unknown is here" }).waitFor();
    await expectAccessible(page);
  });
});

/** Milliseconds from the time of the event that `act` appends to what it says being on the page. */
async function latencyOf(page: Page, act: () => string): Promise<number> {
  const seen = page.evaluate<number>(`new Promise((resolve) => {
    const look = () => document.body.textContent.includes("2 pods left") && resolve(Date.now());
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  })`);
  const time = Date.parse(act());
  return (await seen) - time;
}

describe("the page of an upgrade, for everybody", () => {
  const states: Readonly<Record<string, (tracker: ProgressTracker) => void>> = {
    "with waits and failures": drain,
    paused: (tracker) => {
      drain(tracker);
      tracker.pauseUpgrade("for the night");
    },
    completed: (tracker) => {
      tracker.startUpgrade("Checks");
      tracker.addTask("a", "Check");
      tracker.startTask("a");
      tracker.completeTask("a");
      tracker.completeUpgrade();
    },
    failed: (tracker) => {
      drain(tracker);
      tracker.failUpgrade("out of capacity");
    },
    "without tasks": (tracker) => void tracker.startUpgrade("Checks"),
  };

  it.each(Object.entries(states))("is accessible and fits %s, wide and narrow, light and dark", async (name, make) => {
    const server = await startServer();
    make(server.track("u1"));
    // One look for each state in the test command, both in the long run.
    const looks = [
      [1440, "light"],
      [360, "dark"],
    ] as const;
    for (const [width, colorScheme] of isLong ? looks : [looks[name.length % 2 === 0 ? 0 : 1]]) {
      const page = await openPage({ url: `${server.url}/upgrades/u1`, width, colorScheme });
      await page.getByRole("heading", { name: "u1" }).waitFor();
      await page.locator("[data-connection=live]").waitFor();
      await expectAccessible(page);
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      await page.close();
    }
  });

  it("is accessible in all its parts", async () => {
    const server = await startServer();
    const tracker = server.track("u1");
    drain(tracker);
    tracker.appendLog("workers-3", "no nodes\n");
    const url = `${server.url}/upgrades/u1`;
    for (const [width, colorScheme] of (
      [
        [360, "light"],
        [1440, "dark"],
      ] as const
    ).slice(isLong ? 0 : 1)) {
      const page = await openPage({ url: `${url}?task=workers-3&tab=timeline`, width, colorScheme });
      await page
        .getByRole("region", { name: /^Task workers node 3/ })
        .getByText("Failed attempts")
        .waitFor();
      await page.getByRole("region", { name: "Timeline", exact: true }).waitFor();
      await expectAccessible(page);
      await page.getByRole("tab", { name: "Log" }).click();
      await page.getByRole("region", { name: "Log", exact: true }).getByText("no nodes").waitFor();
      await expectAccessible(page);
      await page.getByRole("tab", { name: "Events" }).click();
      await page.getByRole("region", { name: "Events", exact: true }).waitFor();
      await page.getByText("Export").click();
      await expectAccessible(page);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Share" }).click();
      await page.getByRole("dialog", { name: "Share this upgrade" }).waitFor();
      await expectAccessible(page);
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      await page.close();
    }
  });
});

/** Every field that a reporter can fill has each of the texts. */
function attack(tracker: ProgressTracker): void {
  tracker.startUpgrade(HOSTILE_TEXTS[0] ?? "");
  // Those that have stood longest are shown first.
  HOSTILE_TEXTS.forEach((text, index) => {
    const told = { message: text, impact: text, remedy: text, reference: text, resources: [text] };
    tracker.raiseInsight({ id: HOSTILE_IDS[index] ?? "", level: "error", ...told });
  });
  HOSTILE_TEXTS.forEach((text, index) => {
    const id = HOSTILE_IDS[index] ?? "";
    if (index < 20) tracker.setCurrentPhase(text);
    const parentTaskId = index % 5 === 0 ? null : (HOSTILE_IDS[index - (index % 5)] ?? null);
    tracker.addTask(id, text, "upgrade_step", { parentTaskId, unit: text, totalSteps: 3, details: { [text]: text } });
    if (index % 5 === 0) return;
    tracker.startTask(id, text);
    tracker.updateTaskProgress(id, { completedSteps: 1 }, text, { [text]: [text] });
    tracker.appendLog(id, text);
    if (index % 5 === 1) tracker.setWaitingOn(id, { kind: text, name: text, message: text, remedy: text });
    if (index % 5 === 2) tracker.failTask(id, text);
    if (index % 5 === 3) tracker.pauseTask(id, text);
  });
}

/** Nothing has run, nothing is there that could, and no link leads elsewhere than to a web address. */
async function expectHarmless(page: Page): Promise<void> {
  expect(await page.evaluate("globalThis.ran")).toBeUndefined();
  const elements = "script, iframe, object, base, meta, link, style, template, math, form, video";
  expect(await page.locator(`main :is(${elements})`).count()).toBe(0);
  const links = await page.evaluate<readonly string[]>("[...document.links].map(({ protocol }) => protocol)");
  expect(links.filter((protocol) => !/^https?:$/.test(protocol))).toEqual([]);
}

describe("hostile text", () => {
  it("[X4] is text on the page of an upgrade, whichever field it comes in", async () => {
    expect(new Set(HOSTILE_TEXTS).size).toBe(100);
    const server = await startServer();
    const upgradeId = HOSTILE_IDS[1] ?? "";
    const tracker = server.track(upgradeId, { clusterName: HOSTILE_IDS[2] ?? "", planId: HOSTILE_IDS[0] ?? "" });
    attack(tracker);
    const url = `${server.url}/upgrades/${encodeURIComponent(upgradeId)}`;
    const page = await openPage({ url });
    await page.locator(".attention-item").first().waitFor();
    await page.getByRole("button", { name: /^Show \d+ more/ }).click();
    await expectHarmless(page);
    for (const tab of ["Timeline", "Log", "Events", "Tasks"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.waitForTimeout(100);
    }
    for (const status of ["failed", "waiting", "paused"])
      await page.getByRole("button", { name: new RegExp(`^${status} `) }).click();
    for (const id of [HOSTILE_IDS[1], HOSTILE_IDS[27], HOSTILE_IDS[53], HOSTILE_IDS[99]]) {
      await page.goto(`${url}?task=${encodeURIComponent(id ?? "")}&find=${encodeURIComponent(id ?? "")}`);
      await page.locator(".panel-body").waitFor();
      await expectHarmless(page);
    }
    // What only runs when it is hovered, or focussed.
    for (const item of await page.locator(".attention-item, .row").all()) await item.hover({ force: true });
    tracker.failUpgrade(HOSTILE_TEXTS[1] ?? "");
    await page.locator(".head-message").waitFor();
    await expectHarmless(page);
    expect(page.url().startsWith(url)).toBe(true);
  });
});
