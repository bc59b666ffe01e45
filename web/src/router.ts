/** Which page the address names, and how to go to another one. Plain links do it: components have no need of a router. */

import { computed, signal, type ReadonlySignal } from "@preact/signals";

import { isChord } from "./keys.ts";
import { closest, listen } from "./listen.ts";

/** The parts of an upgrade's page that an address can name. */
const TABS = ["tasks", "timeline", "events", "log"] as const;
export type Tab = (typeof TABS)[number];

export type Route =
  | { readonly page: "fleet" }
  | { readonly page: "upgrade"; readonly upgradeId: string; readonly tab: Tab; readonly at: number | undefined }
  | { readonly page: "compare"; readonly a: string | undefined; readonly b: string | undefined }
  | { readonly page: "not_found"; readonly path: string };

/** The page that an address names. */
export function parseRoute({ pathname, searchParams }: URL): Route {
  if (pathname === "/") return { page: "fleet" };
  if (pathname === "/compare") {
    return { page: "compare", a: searchParams.get("a") ?? undefined, b: searchParams.get("b") ?? undefined };
  }
  const upgradeId = upgradeIdIn(pathname, searchParams);
  if (upgradeId === undefined) return { page: "not_found", path: pathname };
  const tab = TABS.find((known) => known === searchParams.get("tab")) ?? "tasks";
  return { page: "upgrade", upgradeId, tab, at: seqIn(searchParams.get("at")) };
}

const UPGRADE_PATH = /^\/upgrades\/([^/]*)$/;

function upgradeIdIn(pathname: string, query: URLSearchParams): string | undefined {
  const segment = UPGRADE_PATH.exec(pathname)?.[1];
  if (segment === undefined) return undefined;
  try {
    return (segment === "" ? query.get("id") : decodeURIComponent(segment)) ?? undefined;
  } catch {
    return undefined;
  }
}

function seqIn(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** What may be named in the address of an upgrade's page. */
export interface UpgradePlace {
  readonly tab?: Tab | undefined;
  readonly at?: number | undefined;
}

/** The address of an upgrade's page. */
export function upgradeHref(upgradeId: string, { tab, at }: UpgradePlace = {}): string {
  // A browser takes "." and ".." out of a path, however they are written.
  const isDots = upgradeId === "." || upgradeId === "..";
  const query = new URLSearchParams({
    ...(isDots && { id: upgradeId }),
    ...(tab !== undefined && tab !== "tasks" && { tab }),
    ...(at !== undefined && { at: String(at) }),
  });
  return withQuery(`/upgrades/${isDots ? "" : encodeURIComponent(upgradeId)}`, query);
}

/** The address of the page that compares two upgrades. */
export function compareHref(a: string, b?: string): string {
  return withQuery("/compare", new URLSearchParams({ a, ...(b !== undefined && { b }) }));
}

function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

const address = signal(new URL(globalThis.location?.href ?? "http://localhost/"));

/** The address as it is, or is about to be. */
export const currentAddress: ReadonlySignal<URL> = address;

/** The page that is shown. */
export const route: ReadonlySignal<Route> = computed(() => parseRoute(address.value));

/** Goes to another address of the dashboard; with `replace` the back button does not come back to this one. */
export function navigate(href: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const next = new URL(href, address.value);
  if (next.href === address.value.href) return;
  if (writeLater.timer !== undefined) writeLater.write();
  const isOtherPage = next.pathname !== address.value.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", next.href);
  address.value = next;
  if (isOtherPage && !replace) globalThis.scrollTo(0, 0);
}

/** Sets parameters of the address, in place; undefined and "" take one away. Cheap enough for every step of a slider. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const next = new URL(address.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") next.searchParams.delete(name);
    else next.searchParams.set(name, value);
  }
  if (next.href === address.value.href) return;
  address.value = next;
  writeLater.schedule();
}

/** Browsers refuse an address that changes many times a second. */
const writeLater = {
  timer: undefined as ReturnType<typeof setTimeout> | undefined,
  schedule(): void {
    this.timer ??= setTimeout(() => this.write(), 150);
  },
  write(): void {
    this.cancel();
    history.replaceState(null, "", address.value.href);
  },
  cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  },
};

/** Follows the back button and plain links of the dashboard. */
export function startRouter(): void {
  address.value = new URL(location.href);
  listen(window, {
    popstate: () => {
      writeLater.cancel();
      address.value = new URL(location.href);
    },
    pagehide: () => {
      if (writeLater.timer !== undefined) writeLater.write();
    },
    click: (event) => {
      const link = closest(event, "a");
      if (!(link instanceof HTMLAnchorElement) || !isPlainClick(event) || !isOurs(link)) return;
      event.preventDefault();
      navigate(link.href);
    },
  });
}

function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !isChord(event) && !event.shiftKey && !event.defaultPrevented;
}

function isOurs(link: HTMLAnchorElement): boolean {
  if (link.origin !== location.origin || link.target !== "" || link.hasAttribute("download")) return false;
  const isHere = link.pathname === location.pathname && link.search === location.search && link.hash !== "";
  return !isHere && parseRoute(new URL(link.href)).page !== "not_found";
}
