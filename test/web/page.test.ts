/** What holds on every page. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

import { onTestFinished, describe, expect, it } from "vitest";

import { ProgressTracker } from "milepost";

import { tempFolder } from "../temp-folder.ts";
import { expectAccessible } from "./axe.ts";
import { openPage } from "./browser.ts";
import { startServer } from "./served.ts";

const DASHBOARD = resolve(import.meta.dirname, "../../dist/dashboard");

describe("the dashboard", () => {
  it("shows what happens within 200 ms", async () => {
    const server = await startServer();
    const tracker = server.track("u1");
    tracker.startUpgrade("Preparation");
    const page = await openPage({ url: `${server.url}/upgrades/u1` });
    await page.getByText("Preparation").first().waitFor();
    await page.locator("[data-connection=live]").waitFor();
    const delays: number[] = [];
    for (const phase of ["One", "Two", "Three", "Four", "Five"]) {
      const seen = page.getByText(phase, { exact: true }).first().waitFor();
      const from = performance.now();
      tracker.setCurrentPhase(phase);
      await seen;
      delays.push(performance.now() - from);
    }
    // The middle one: a busy machine may be late once, a slow page is late always.
    expect(delays.sort((a, b) => a - b)[2]).toBeLessThan(200);
  });

  it("says in its tab how far an upgrade is, and that it is over", async () => {
    const server = await startServer();
    const tracker = server.track("u1");
    tracker.startUpgrade();
    tracker.addTask("t1", "Drain");
    tracker.startTask("t1");
    tracker.updateTaskProgress("t1", 40);
    const page = await openPage({ url: `${server.url}/upgrades/u1` });
    await expect.poll(() => page.title()).toBe("40% u1 · Milepost");
    const icon = (): Promise<string | null> => page.locator("#favicon").getAttribute("href");
    const before = await icon();
    expect(before).toMatch(/^data:image\/svg\+xml,/);
    tracker.updateTaskProgress("t1", 80);
    await expect.poll(() => page.title()).toBe("80% u1 · Milepost");
    expect(await icon()).not.toBe(before);
    tracker.completeTask("t1");
    tracker.completeUpgrade();
    await expect.poll(() => page.title()).toBe("✓ u1 · Milepost");
  });

  it("tells of the end of an upgrade who has asked for it, and asks the browser not before", async () => {
    const server = await startServer();
    const tracker = server.track("u1");
    tracker.startUpgrade();
    const page = await openPage({ url: `${server.url}/upgrades/u1` });
    await page.getByRole("button", { name: "Tell me" }).waitFor();
    await page.evaluate(`
      globalThis.said = [];
      globalThis.Notification = class {
        static permission = "default";
        static async requestPermission() { said.push("asked"); return (Notification.permission = "granted"); }
        constructor(title, { body }) { said.push(title + ": " + body); }
      }`);
    const said = (): Promise<readonly string[]> => page.evaluate("said");
    expect(await said()).toEqual([]);
    await page.getByRole("button", { name: "Tell me" }).click();
    await page.getByRole("button", { name: "Tells you", pressed: true }).waitFor();
    tracker.completeUpgrade("all nodes are new");
    await expect.poll(said).toEqual(["asked", "u1 completed: all nodes are new"]);
  });

  it("has a page for an address where nothing is, and one for an upgrade that is not there", async () => {
    const server = await startServer();
    const page = await openPage({ url: `${server.url}/no/such/page`, expected: [/status of 404/] });
    await page.getByRole("heading", { name: "Nothing is here" }).waitFor();
    await expectAccessible(page);
    await page.goto(`${server.url}/upgrades/${encodeURIComponent("arn:aws:eks/x")}`);
    await page.getByRole("heading", { name: /arn:aws:eks\/x/ }).waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "All upgrades", exact: true }).click();
    await page.getByText("No upgrade yet").waitFor();
  });

  it("opens upgrades of any name from the list", async () => {
    const server = await startServer();
    const ids = ["arn:aws:eks:eu-west-1:1:cluster/a b", "..", "50%/#?&", "ümläut 🚀"];
    for (const id of ids) server.track(id).startUpgrade(`Phase of ${id}`);
    // Earlier upgrades of the cluster are asked for by a path that a browser shortens for "..".
    const page = await openPage({ url: server.url, expected: [/status of 404/] });
    for (const id of ids) {
      await page.getByText(id, { exact: true }).click();
      await page.locator("main").getByText(`Phase of ${id}`).first().waitFor();
      await page.goBack();
    }
  });

  it("is served by a tracker of its own, too, and goes to its only upgrade", async () => {
    const tracker = new ProgressTracker({
      upgradeId: "u1",
      planId: "1.33",
      clusterName: "prod",
      storagePath: tempFolder(),
      enableWebsocket: true,
      websocketPort: 0,
    });
    onTestFinished(() => tracker.close());
    tracker.startUpgrade("Control plane");
    expect(await tracker.startWebsocketServer()).toBe(true);
    const page = await openPage({ url: `http://127.0.0.1:${tracker.websocket.getServerInfo().port}/` });
    await page.getByText("Control plane").first().waitFor();
    expect(new URL(page.url()).pathname).toBe("/upgrades/u1");
  });

  it.each(["fleet/fleet-page", "upgrade/upgrade-page", "compare/compare-page"])(
    "needs at most 60 kB of JavaScript, gzipped, to show %s",
    (module) => {
      const sizes = [...scriptsOf(["index.html", `src/${module}.tsx`])].map(
        (file) => gzipSync(readFileSync(join(DASHBOARD, file))).length,
      );
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      expect(bytes).toBeGreaterThan(10_000);
      expect(bytes).toBeLessThanOrEqual(60_000);
    },
  );

  it("has nothing inline, and names no other origin and no place of the machine that built it", () => {
    const page = readFileSync(join(DASHBOARD, "index.html"), "utf8");
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/);
    for (const file of readdirSync(join(DASHBOARD, "assets"))) {
      const text = readFileSync(join(DASHBOARD, "assets", file), "utf8");
      expect(text.includes(resolve(import.meta.dirname, "../.."))).toBe(false);
    }
  });
});

/** The scripts that these modules need at once, by the list that the build makes. */
function scriptsOf(modules: readonly string[]): ReadonlySet<string> {
  const chunks = JSON.parse(readFileSync(join(DASHBOARD, "files.json"), "utf8")) as Record<
    string,
    { readonly file: string; readonly imports?: readonly string[] }
  >;
  const files = new Set<string>();
  const add = (name: string): void => {
    const chunk = chunks[name];
    if (chunk === undefined) throw new Error(`the build has no ${name}`);
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.imports?.forEach(add);
  };
  modules.forEach(add);
  return files;
}
