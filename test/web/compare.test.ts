import { expect, it } from "vitest";

import { compareUpgrades, differenceText } from "../../src/view/upgrade/compare.ts";
import { durationText } from "../../src/view/text/duration.ts";
import type { UpgradeProgress } from "../../src/model/upgrade.ts";
import { expectAccessible } from "./axe.ts";
import { openPage } from "./browser.ts";
import { eventsOf, HOUR_AGO, recordUpgrade, statesOf } from "./recorded.ts";
import { startServer } from "./served.ts";

const DAY = 86_400_000;

it("takes the newest earlier upgrade of the cluster, and says of each task what it took then and now", async () => {
  const server = await startServer();
  await recordUpgrade(server, { upgradeId: "u1", startedAt: HOUR_AGO() - 2 * DAY, pace: 3 });
  await recordUpgrade(server, { upgradeId: "u2", startedAt: HOUR_AGO() - DAY });
  await recordUpgrade(server, { upgradeId: "u3", pace: 2 });
  const page = await openPage({ url: `${server.url}/compare?a=u3` });
  await page.getByRole("region", { name: "Tasks, what cost the most more first" }).first().waitFor();
  const [earlier, later] = await Promise.all(
    ["u2", "u3"].map(async (id) => statesOf(await eventsOf(server, id)).at(-1)),
  );
  const { tasks } = compareUpgrades(earlier as UpgradeProgress, later as UpgradeProgress, Date.now());
  const expected = tasks
    .filter(({ hasChildren }) => !hasChildren)
    .map((task) => [
      task.name,
      durationText(task.earlier?.workedMs ?? 0),
      durationText(task.later?.workedMs ?? 0),
      differenceText(task.moreMs),
    ]);
  const rows = await page.evaluate(() =>
    [...document.querySelectorAll(".compare-part:last-of-type tbody tr")].map((row) =>
      [...row.querySelectorAll("th, td")].slice(0, 4).map((cell) => cell.firstChild?.textContent ?? ""),
    ),
  );
  expect(rows).toEqual(expected);
  expect(expected[0]).toEqual(["Control plane", "13m 00s", "26m 00s", "+13m 00s"]);
  await page.getByText("paused 6m 00s").first().waitFor();
  await expectAccessible(page);
});

it("compares with any other, also a finished run, and says what cannot be read", async () => {
  const server = await startServer();
  await recordUpgrade(server, { upgradeId: "u1", startedAt: HOUR_AGO() - DAY });
  const tracker = server.track("u1");
  tracker.startUpgrade("Again");
  tracker.addTask("new", "A new task");
  const page = await openPage({
    url: `${server.url}/compare?a=u1`,
    width: 360,
    colorScheme: "dark",
    expected: [/404/],
  });
  await page.getByText("1 in both").or(page.getByText("0 in both, 1 new, 6 gone")).waitFor();
  expect(await page.getByLabel("Earlier upgrade").inputValue()).toBe("u1@1");
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await expectAccessible(page);
  await page.getByLabel("Any other upgrade").fill("nowhere");
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  await page.getByText(/^They cannot be compared: .*nowhere/).waitFor();
  expect(new URL(page.url()).search).toBe("?a=u1&b=nowhere");
  await expectAccessible(page);
});

it("says what to do when there is nothing to compare, or no upgrade is named", async () => {
  const server = await startServer();
  server.track("u1").startUpgrade("Check");
  const page = await openPage({ url: `${server.url}/compare?a=u1` });
  await page.getByText("There is no earlier upgrade of this cluster or plan.").waitFor();
  await expectAccessible(page);
  await page.goto(`${server.url}/compare`);
  await page.getByText("The address names no upgrade.").waitFor();
  await expectAccessible(page);
});

it("says what is known of the connection, and goes on by itself when the server is back", async () => {
  const server = await startServer();
  await recordUpgrade(server, { upgradeId: "u1", startedAt: HOUR_AGO() - DAY });
  server.track("u2").startUpgrade("Check");
  const page = await openPage({ url: `${server.url}/compare?a=u2`, expected: [/ERR_CONNECTION_REFUSED/] });
  await page.locator("[data-connection=live]").waitFor();
  await server.stop();
  await page.getByText(/^reconnecting/).waitFor();
  await page.getByText("Whole upgrade").waitFor();
  await server.startAgain();
  await page.locator("[data-connection=live]").waitFor();
});
