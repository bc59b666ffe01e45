/** Who may see what, and what a page does while it cannot reach its server. */

import { ProgressTracker } from "milepost";
import { describe, expect, it, onTestFinished } from "vitest";

import { serverProcess } from "../peers/server-process.ts";
import { tempFolder } from "../temp-folder.ts";
import { expectAccessible } from "./axe.ts";
import { openContext, openPage } from "./browser.ts";
import { authOf, startServer } from "./served.ts";

const TOKEN = "operators-token-of-the-test";
/** The browser says on the console that a request was refused; the page says it to people. */
const REFUSED = [/Failed to load resource.*(401|403)/, /WebSocket connection to .* failed/];

async function shareTokenOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/upgrades/u1/share`, {
    method: "POST",
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: "{}",
  });
  return ((await answer.json()) as { readonly token: string }).token;
}

describe("a page with a server that knows its readers", () => {
  it("asks for a token, exchanges it for a cookie, and shows everything then", async () => {
    const server = await startServer({ auth: authOf(TOKEN) });
    server.track("u1").startUpgrade("Control plane");
    const page = await openPage({ url: server.url, expected: REFUSED });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await expectAccessible(page);
    await page.getByLabel("Token").fill("not-the-right-token-at-all");
    await page.keyboard.press("Enter");
    await page.getByText("The server does not know this token.").waitFor();
    await page.getByLabel("Token").fill(TOKEN);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Control plane").waitFor();
    const cookies = await page.context().cookies();
    expect(cookies).toEqual([expect.objectContaining({ httpOnly: true, sameSite: "Strict" })]);
    expect(
      await page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie"),
    ).not.toContain(TOKEN);
    await page.reload();
    await page.getByText("Control plane").waitFor();
    expect(await page.getByText("read-only").count()).toBe(0);
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("Signed in as operator").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.context().cookies()).toEqual([]);
  });

  it("opens a share link: one upgrade, to read only, and no token left in the address", async () => {
    const server = await startServer({ auth: authOf(TOKEN) });
    for (const id of ["u1", "u2"]) server.track(id).startUpgrade(`Phase of ${id}`);
    const token = await shareTokenOf(server.url);
    const context = await openContext();
    const page = await openPage({ url: `${server.url}/#share=${token}`, context, expected: REFUSED });
    await page.getByText("Phase of u1").first().waitFor();
    expect(page.url()).toBe(`${server.url}/upgrades/u1`);
    await page.getByText("read-only").waitFor();
    expect(await page.getByRole("button", { name: "Share" }).count()).toBe(0);
    await expectAccessible(page);
    await page.reload();
    await page.getByText("read-only").waitFor();
    const other = await openPage({ url: `${server.url}/upgrades/u2`, context, expected: REFUSED });
    await other.getByRole("heading").first().waitFor();
    expect(await other.getByText("Phase of u2").count()).toBe(0);
    const fleet = await openPage({ url: server.url, context, expected: REFUSED });
    await fleet.getByRole("heading", { name: "You may not see this" }).waitFor();
    await expectAccessible(fleet);
  });

  it("exports with whatever says who asks: also a share link, and a token that no cookie can hold", async () => {
    const unbaked = "operators-token-".repeat(240);
    const server = await startServer({ auth: authOf(unbaked) });
    const tracker = server.track("u1");
    tracker.startUpgrade("Control plane");
    const page = await openPage({ url: `${server.url}/upgrades/u1`, expected: REFUSED });
    await page.getByLabel("Token").fill(unbaked);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = await page.getByRole("dialog").locator("pre").textContent();
    await page.keyboard.press("Escape");
    expect(await page.context().cookies()).toEqual([]);
    for (const reader of [page, await openPage({ url: link ?? "" })]) {
      await reader.getByText("Export").click();
      const download = reader.waitForEvent("download");
      await reader.getByRole("button", { name: /^NDJSON/ }).click();
      const text = Buffer.concat(await (await (await download).createReadStream()).toArray()).toString();
      expect(text.trimEnd().split("\n").length).toBe(tracker.progress.seq);
    }
  });

  it("keeps who has signed in over a share link, and signs out in every tab of the browser", async () => {
    const server = await startServer({ auth: authOf(TOKEN) });
    server.track("u1").startUpgrade("Phase of u1");
    const context = await openContext();
    const fleet = await openPage({ url: server.url, context, expected: REFUSED });
    for (const none of ["   ", "x".repeat(5_000)]) {
      await fleet.getByLabel("Token").fill(none);
      await fleet.keyboard.press("Enter");
      await fleet.getByText("The server does not know this token.").waitFor();
      await fleet.reload();
    }
    await fleet.getByLabel("Token").fill(TOKEN);
    await fleet.keyboard.press("Enter");
    await fleet.getByText("Phase of u1").waitFor();
    const page = await openPage({ url: `${server.url}/#share=${await shareTokenOf(server.url)}`, context });
    await page.getByRole("button", { name: "Share" }).waitFor();
    await page.getByText("Phase of u1").first().waitFor();
    expect(await page.getByText("read-only").count()).toBe(0);
    await fleet.reload();
    await fleet.getByText("Phase of u1").waitFor();
    await fleet.getByRole("button", { name: "Settings" }).click();
    await fleet.getByRole("button", { name: "Sign out" }).click();
    for (const each of [fleet, page]) await each.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.getByText("Phase of u1").count()).toBe(0);
  });

  it("says why a share link does not work, and goes on as who one was before", async () => {
    const server = await startServer({ auth: authOf(TOKEN) });
    server.track("u1").startUpgrade("Phase of u1");
    const context = await openContext();
    const shared = await openPage({ url: `${server.url}/#share=${await shareTokenOf(server.url)}`, context });
    await shared.getByText("read-only").waitFor();
    const page = await openPage({ url: `${server.url}/upgrades/u1#share=a.b.c`, context, expected: REFUSED });
    await page.getByText("Phase of u1").first().waitFor();
    await page.getByText("read-only").waitFor();
    expect(await page.getByRole("button", { name: "Share" }).count()).toBe(0);
  });

  it("says why a share link does not work to whom nobody knows", async () => {
    const server = await startServer({ auth: authOf(TOKEN) });
    server.track("u1").startUpgrade();
    const page = await openPage({ url: `${server.url}/upgrades/u1#share=a.b.c`, expected: REFUSED });
    await page.getByText("This link is not valid here").waitFor();
    expect(page.url()).toBe(`${server.url}/upgrades/u1`);
  });
});

describe("a page whose server is gone", () => {
  it("says so, says how old it is, and goes on by itself when the server is back", async () => {
    const storagePath = tempFolder();
    const server = await serverProcess({ storagePath });
    const tracker = new ProgressTracker({ upgradeId: "u1", clusterName: "prod", planId: "1.33", storagePath });
    onTestFinished(() => tracker.close());
    tracker.startUpgrade("Control plane");
    const page = await openPage({ url: server.url, expected: [/WebSocket connection to .* failed/, /ERR_CONNECTION/] });
    await page.getByText("Control plane").waitFor();
    const upgrade = await openPage({ url: `${server.url}/upgrades/u1`, expected: [/WebSocket/, /ERR_CONNECTION/] });
    await upgrade.getByText("Control plane").first().waitFor();
    for (const each of [page, upgrade]) await each.evaluate("globalThis.isSamePage = true");
    await server.kill();
    await page.getByText(/^reconnecting/).waitFor();
    await page.getByText(/as of \d\d:\d\d:\d\d/).waitFor();
    await expectAccessible(page);
    // Nobody knows how it goes on: nothing may seem to last because of that.
    const lasting = (): Promise<string> => page.locator(".fleet-time").innerText();
    const before = await lasting();
    await page.evaluate("new Promise((wake) => setTimeout(wake, 2_100))");
    expect(await lasting()).toBe(before);
    tracker.setCurrentPhase("Node groups");
    await server.startAgain();
    for (const each of [page, upgrade]) {
      await each.locator("[data-connection=live]").waitFor({ timeout: 40_000 });
      await each.getByText("Node groups").first().waitFor();
      expect(await each.evaluate("globalThis.isSamePage")).toBe(true);
    }
  });
});
