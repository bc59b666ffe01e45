/** Dashboard, terminal, `milepost show --json` and the HTTP API say the same of an upgrade at the same moment. */

import type { Page } from "playwright-core";
import { expect, it } from "vitest";

import type { UpgradeSummary } from "../../src/view/upgrade/summary.ts";
import { durationText, percentText } from "../../src/view/text/duration.ts";
import { run } from "../cli/command-line.ts";
import { manualClock } from "../manual-clock.ts";
import { openContext, openPage } from "./browser.ts";
import { recordCorpus } from "./corpus.ts";
import { startServer } from "./served.ts";

const COLUMNS = 200;
const EVERY_STATUS = "completed,in_progress,waiting,paused,failed,cancelled,skipped,not_started";
/** As many tasks as a tall window draws. */
const MAX_ROWS = 60;

/** What a row says in numbers; "" for what it does not say. */
interface RowNumbers {
  readonly percent: string;
  readonly steps: string;
  readonly elapsed: string;
}

interface PageNumbers {
  readonly percent: string;
  readonly elapsed: string;
  readonly paused: string;
  readonly counts: string;
  /** When it will be done, and in how long. */
  readonly eta: string;
  readonly rows: Readonly<Record<string, RowNumbers>>;
}

/** Reads the page as somebody who looks at it does. */
async function pageNumbers(page: Page): Promise<PageNumbers> {
  await page.locator("[data-connection=live]").waitFor();
  await page.locator("[data-number=counts]").waitFor();
  return page.evaluate(`(() => {
    const text = (selector, within = document) => within.querySelector(selector)?.firstChild?.textContent ?? "";
    return {
      percent: text("[data-number=percent]"),
      elapsed: text("[data-number=elapsed]"),
      paused: text("[data-number=paused]"),
      counts: text("[data-number=counts]"),
      eta: [text(".head-eta-when strong"), document.querySelector(".head-eta-left")?.textContent.trim()].filter(Boolean).join(", "),
      rows: Object.fromEntries([...document.querySelectorAll(".row")].map((row) => [text(".row-title", row), {
        percent: text(".row-percent", row),
        steps: text(".row-steps", row).split(" ")[0],
        elapsed: text(".row-time", row),
      }])),
    };
  })()`);
}

/** The columns at the end of a row in a wide terminal. */
function terminalRow(line: string): RowNumbers {
  const [steps = ""] = line.slice(-31, -18).trim().split(" ");
  return { steps, percent: line.slice(-18, -9).trim(), elapsed: line.slice(-9).trim() };
}

/** What both say must be the same; a terminal leaves out more. */
function expectSameRows(rows: PageNumbers["rows"], lines: readonly string[]): void {
  const lineWidth = lines[1]?.length ?? 0;
  for (const [name, row] of Object.entries(rows)) {
    const line = lines.slice(lines.indexOf("")).find((each) => `${each} `.includes(` ${name} `));
    const told = terminalRow((line ?? "").padEnd(lineWidth));
    expect(line, name).toBeDefined();
    expect([name, row.elapsed]).toEqual([name, told.elapsed]);
    if (told.percent !== "unknown") expect([name, row.percent]).toEqual([name, told.percent]);
    else expect([name, row.percent]).toEqual([name, ""]);
    if (told.steps !== "") expect([name, row.steps]).toEqual([name, told.steps]);
  }
}

/** "6 of 14 tasks completed, 1 running, 1 waiting" as the summary has it. */
function expectSameCounts(counts: string, summary: UpgradeSummary): void {
  const told = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(counts)?.[1] ?? 0);
  const [, completed = "0", total = "0"] = /(\d+) of (\d+) tasks? completed/.exec(counts) ?? [];
  expect([Number(completed), Number(total)]).toEqual([summary.completedTasks, summary.totalTasks]);
  expect([told("failed"), told("waiting")]).toEqual([summary.failedTasks, summary.waitingTasks]);
  // Those that wait and have begun are active, too.
  expect(told("running")).toBeLessThanOrEqual(summary.activeTasks);
  expect(told("running") + told("waiting")).toBeGreaterThanOrEqual(summary.activeTasks);
}

it("says the same on every surface for the same cursor and moment, of every kind of upgrade", async () => {
  const clock = manualClock();
  const server = await startServer({ clock });
  const storage = ["--storage-path", server.storagePath];
  const recorded = await recordCorpus(server);
  const context = await openContext({ height: 3000 });
  let asOfMs = 0;
  await context.route("**/healthz", (route) => route.fulfill({ headers: { date: new Date(asOfMs).toUTCString() } }));
  for (const { upgradeId, lastMs } of recorded) {
    asOfMs = lastMs + 93_456;
    clock.jump(asOfMs - clock.now());
    const answer = await fetch(`${server.url}/api/v1/upgrades/${upgradeId}/summary`);
    const summary = (await answer.json()) as UpgradeSummary;
    const json = await run(["show", upgradeId, "--json", ...storage], { clock });
    const shown = JSON.parse(json.stdout) as { readonly summary: unknown; readonly asOf: string };
    expect(shown.summary, upgradeId).toEqual(summary);
    expect(shown.asOf).toBe(new Date(asOfMs).toISOString());
    const { stdout } = await run(["show", upgradeId, "--all", "--no-color", ...storage], {
      clock,
      terminal: { columns: COLUMNS, rows: 100 },
    });
    const lines = stdout.split("\n");
    await context.clock.setFixedTime(asOfMs);
    const page = await openPage({ url: `${server.url}/upgrades/${upgradeId}?status=${EVERY_STATUS}`, context });
    const numbers = await pageNumbers(page);
    const hasStarted = summary.status !== "not_started";
    const percent = hasStarted ? percentText(summary.isMeasured ? summary.overallPercentage : null) : "–";
    const elapsed = summary.durationMs === null ? "–" : durationText(summary.durationMs);
    expect({ upgradeId, percent: numbers.percent, elapsed: numbers.elapsed }).toEqual({ upgradeId, percent, elapsed });
    expect(lines.slice(0, 2).join("\n"), upgradeId).toContain(hasStarted ? elapsed : "");
    expect(lines[1]?.trimEnd().endsWith(hasStarted ? percent : ""), upgradeId).toBe(true);
    expectSameCounts(numbers.counts, summary);
    expect(stdout).toContain(numbers.counts);
    // A terminal says the time in any case, and how long it takes while nothing holds it.
    if (numbers.eta.includes(",")) expect(stdout).toContain(numbers.eta.replace(/, held.*/, ""));
    const left = summary.timeLeft === null ? undefined : durationText(summary.timeLeft.likelyMs);
    if (numbers.eta.includes("in about")) expect(numbers.eta).toContain(`in about ${left}`);
    else expect(summary.timeLeft?.isHeld ?? true, upgradeId).toBe(true);
    expect(Object.keys(numbers.rows).length, upgradeId).toBeGreaterThanOrEqual(Math.min(summary.totalTasks, MAX_ROWS));
    expectSameRows(numbers.rows, lines);
    await page.close();
  }
});
