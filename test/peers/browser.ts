/** A real browser, and what its pages do in these tests with its own WebSocket and EventSource. */

import { existsSync } from "node:fs";

import packaged from "@sparticuz/chromium";
import { chromium, type Browser, type Page } from "playwright-core";

/** This machine's own, else the one that comes as a package, which unpacks itself when it is first asked for. */
async function executablePath(): Promise<string> {
  const installed = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  return installed ?? (await packaged.executablePath());
}

/** Without its sandbox, which does not start for root; only pages of these tests are opened in it. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await executablePath(), args: ["--no-sandbox"] });
}

/** What a page has seen. */
export interface Seen {
  /** Texts of messages, or of events' data. */
  readonly messages: readonly string[];
  /** `lastEventId` at each of them; WebSockets have none. */
  readonly ids: readonly string[];
  readonly opened: number;
  /** Close codes of a WebSocket, `readyState` of an EventSource at each error. */
  readonly ends: readonly number[];
}

/**
 * Runs in the page. A WebSocket comes back by the code below, 100 ms after it has gone, with the cursor of its last event; an
 * EventSource by itself.
 */
const WATCH = `
  globalThis.watch = {
    begin() {
      const seen = { messages: [], ids: [], opened: 0, ends: [] };
      globalThis.seen = seen;
      return seen;
    },
    webSocket(url, channel) {
      const seen = this.begin();
      let cursor;
      const connect = () => {
        const query = cursor === undefined ? "" : "/?" + new URLSearchParams({ channel, after: cursor });
        const socket = new WebSocket(url + query);
        socket.onopen = () => (seen.opened += 1);
        socket.onmessage = ({ data }) => {
          seen.messages.push(data);
          const message = JSON.parse(data);
          if (message.seq !== undefined) cursor = message.cursor;
          if (message.type === "upgrade.completed") socket.close(1000);
          if (seen.messages.length === 60) socket.close();
        };
        socket.onclose = ({ code }) => {
          seen.ends.push(code);
          if (code !== 1000) setTimeout(connect, 100);
        };
      };
      connect();
    },
    eventSource(url) {
      const seen = this.begin();
      const source = new EventSource(url);
      source.onopen = () => (seen.opened += 1);
      source.onerror = () => seen.ends.push(source.readyState);
      for (const name of ["message", "snapshot", "subscribed", "skipped", "error"]) {
        source.addEventListener(name, ({ data, lastEventId }) => {
          if (data === undefined) return;
          seen.messages.push(data);
          seen.ids.push(lastEventId);
          if (JSON.parse(data).type === "upgrade.completed") source.close();
        });
      }
    },
  };
`;

/** A page at an address of a server: that a page's origin is the server's matters here, not what is on it. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  // What the server answers is data, and its headers allow no script; these scripts are the test's own.
  const page = await browser.newPage({ bypassCSP: true });
  await page.goto(url);
  await page.evaluate(WATCH);
  return page;
}

export async function seen(page: Page): Promise<Seen> {
  return page.evaluate("globalThis.seen");
}

/** @param condition - JavaScript over `seen`. */
export async function untilSeen(page: Page, condition: string): Promise<void> {
  await page.waitForFunction(`(({ messages, opened, ends }) => ${condition})(globalThis.seen)`, undefined, {
    timeout: 30_000,
  });
}
