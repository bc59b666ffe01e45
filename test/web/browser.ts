/** The dashboard in a real browser: a page that does anything it should not do fails its test. */

import { existsSync } from "node:fs";

import packaged from "@sparticuz/chromium";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, expect, onTestFinished } from "vitest";

export interface PageOptions {
  /** The dashboard's address, as `http://127.0.0.1:8765/upgrades/u1`. */
  readonly url: string;
  /** Default 1440. */
  readonly width?: number;
  /** Default 900. */
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
  readonly reducedMotion?: "reduce" | "no-preference";
  readonly timezoneId?: string;
  /** By how much this browser's clock is ahead of the server's, in milliseconds. */
  readonly aheadMs?: number;
  /** In this browser session, with its cookies and its storage. A new one when left out. */
  readonly context?: BrowserContext;
  /** Texts of errors that the test brings about itself. */
  readonly expected?: readonly RegExp[];
}

/** One for all tests of a file. */
let browser: Promise<Browser> | undefined;
afterAll(async () => (await browser)?.close());

/** This machine's own, else the one that comes as a package. Without its sandbox, which does not start for root. */
async function launch(): Promise<Browser> {
  const installed = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  const executablePath = installed ?? (await packaged.executablePath());
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"] });
}

/** Opens the dashboard. When the test has ended, the page must have had no error, broken no policy and asked nobody else. */
export async function openPage({ url, expected = [], aheadMs = 0, ...options }: PageOptions): Promise<Page> {
  const trouble = process.env["MILEPOST_DASHBOARD_TROUBLE"];
  if (trouble !== undefined) throw new Error(`the dashboard does not build: ${trouble}`);
  const page = await newPage(options);
  const faults = faultsOf(page, new URL(url).origin);
  onTestFinished(async () => {
    await page.close();
    expect(faults.filter((fault) => !expected.some((pattern) => pattern.test(fault)))).toEqual([]);
  });
  if (aheadMs !== 0) await page.addInitScript(`{ const now = Date.now; Date.now = () => now() + ${aheadMs}; }`);
  await page.goto(url);
  return page;
}

async function newPage({ context, width = 1440, height = 900, ...look }: Omit<PageOptions, "url">): Promise<Page> {
  if (context !== undefined) return context.newPage();
  browser ??= launch();
  const page = await (await browser).newPage({ viewport: { width, height }, colorScheme: "light", ...look });
  page.setDefaultTimeout(15_000);
  return page;
}

/** A browser session for several pages, closed when the test has ended. */
export async function openContext(options: Omit<PageOptions, "url" | "context"> = {}): Promise<BrowserContext> {
  const { width = 1440, height = 900, ...look } = options;
  browser ??= launch();
  const context = await (await browser).newContext({ viewport: { width, height }, colorScheme: "light", ...look });
  onTestFinished(() => context.close());
  return context;
}

/** What a page does wrong, as it happens. A violated policy is an error on its console, too. */
function faultsOf(page: Page, origin: string): readonly string[] {
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && asked !== origin) faults.push(`asked ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== new URL(origin).host) faults.push(`connected to ${socket.url()}`);
  });
  return faults;
}
