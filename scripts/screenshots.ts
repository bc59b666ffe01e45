/**
 * Takes a picture of every page and state, light and dark, wide and narrow: `npm run screenshots`, or with words, only those whose
 * name holds one of them. Into dist/screenshots; the few that the documents show go to docs/screenshots, too.
 */

import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import packaged from "@sparticuz/chromium";
import { chromium, type Browser, type Page } from "playwright-core";

import type { AuthSettings } from "../src/server/auth/auth-config.ts";
import { createStorageServer } from "../src/server/storage-server.ts";
import { jsonLines } from "../src/storage/json-lines.ts";
import { buildDashboard } from "./build-dashboard.ts";
import { recordFleet } from "./recorded-upgrades.ts";

const root = resolve(import.meta.dirname, "..");
const MADE = join(root, "dist/screenshots");
const SHOWN = join(root, "docs/screenshots");

interface Shot {
  readonly name: string;
  readonly path: string;
  /** Brings the page into its state. */
  readonly prepare?: (page: Page) => Promise<unknown>;
  /** Of another server than the one with the fleet: one without upgrades, one that wants to know who asks, one that has gone. */
  readonly server?: "empty" | "guarded" | "gone";
  /** Shown in the documents, in the wide form. */
  readonly isInDocs?: true;
}

const SHOTS: readonly Shot[] = [
  { name: "fleet", path: "/", isInDocs: true },
  { name: "fleet-search", path: "/?q=prod&sort=name" },
  { name: "fleet-none", path: "/?q=nothing+like+this" },
  { name: "fleet-empty", path: "/", server: "empty" },
  { name: "fleet-server-gone", path: "/", server: "gone" },
  { name: "sign-in", path: "/", server: "guarded" },
  { name: "settings", path: "/", prepare: (page) => page.getByRole("button", { name: "Settings" }).click() },
  { name: "not-found", path: "/nowhere" },
  { name: "unknown-upgrade", path: "/upgrades/nobody" },
  { name: "upgrade", path: "/upgrades/prod-eu-1.33", isInDocs: true },
  { name: "upgrade-failed", path: "/upgrades/prod-ap-1.33" },
  { name: "upgrade-stalled", path: "/upgrades/batch-1.33" },
  { name: "upgrade-completed", path: "/upgrades/prod-us-1.33" },
  { name: "upgrade-unmeasured", path: "/upgrades/network-vpc" },
  { name: "upgrade-paused", path: "/upgrades/prod-sa-1.33" },
  { name: "timeline", path: "/upgrades/prod-eu-1.33?tab=timeline" },
  { name: "events", path: "/upgrades/prod-eu-1.33?tab=events" },
  { name: "log", path: "/upgrades/prod-eu-1.33?tab=log" },
  { name: "time-travel", path: "/upgrades/prod-eu-1.33?at=90" },
  { name: "compare", path: "/compare?a=prod-eu-1.33&b=prod-eu-1.32" },
];

const LOOKS = [
  { look: "light", width: 1440, colorScheme: "light" },
  { look: "dark", width: 1440, colorScheme: "dark" },
  { look: "phone-light", width: 360, colorScheme: "light" },
  { look: "phone-dark", width: 360, colorScheme: "dark" },
] as const;

async function launch(): Promise<Browser> {
  const installed = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  const executablePath = installed ?? (await packaged.executablePath());
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"] });
}

interface Serving {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Nobody has this token: the picture is of who asks for one. */
const AUTH: AuthSettings = {
  authenticator: { tokens: [{ name: "nobody", token: randomUUID(), permissions: ["watch:fleet"] }] },
  shareLinks: {},
  allowedHosts: [],
  allowedOrigins: [],
  trustedProxies: [],
  allowTokenInUrl: false,
};

async function serve(storagePath: string, auth?: AuthSettings): Promise<Serving> {
  const server = createStorageServer({ storage: jsonLines({ path: storagePath }), port: 0, auth });
  const { port } = await server.listen();
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

async function take(browser: Browser, shot: Shot, serving: () => Promise<Serving>): Promise<void> {
  for (const { look, width, colorScheme } of LOOKS) {
    const { url, close } = await serving();
    const height = width === 360 ? 740 : 900;
    const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: "reduce" });
    await page.goto(url + shot.path);
    await page.locator("main").waitFor();
    await page.waitForTimeout(700);
    if (shot.server === "gone") {
      await close();
      await page.getByText(/^reconnecting/).waitFor();
    }
    await shot.prepare?.(page);
    const name = `${shot.name}-${look}.png`;
    await page.screenshot({ path: join(MADE, name) });
    if (shot.isInDocs === true && width === 1440) copyFileSync(join(MADE, name), join(SHOWN, name));
    await page.close();
    if (shot.server !== undefined) await close();
  }
  process.stdout.write(`${shot.name}\n`);
}

const wanted = process.argv.slice(2);
const shots = SHOTS.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
await buildDashboard();
for (const folder of [MADE, SHOWN]) mkdirSync(folder, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), "milepost-screenshots-"));
const open = await recordFleet(join(folder, "fleet"));
const [fleet, browser] = await Promise.all([serve(join(folder, "fleet")), launch()]);
const servers = {
  fleet: () => Promise.resolve(fleet),
  empty: () => serve(join(folder, "empty")),
  guarded: () => serve(join(folder, "fleet"), AUTH),
  gone: () => serve(join(folder, "fleet")),
};
try {
  for (const shot of shots) await take(browser, shot, servers[shot.server ?? "fleet"]);
} finally {
  await browser.close();
  await Promise.all([fleet.close(), ...open.map((tracker) => tracker.close())]);
  rmSync(folder, { recursive: true, force: true });
}
