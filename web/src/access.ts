/** How this page says who it is: by the cookie it was given, else by a token that is kept in memory and nowhere else. */

import { signal } from "@preact/signals";

const token = signal<string | undefined>(undefined);

/** What `watch` and `watchFleet` take, for this page's server. */
export function connectOptions(): { readonly token?: string } {
  return token.value === undefined ? {} : { token: token.value };
}

/** Keeps a token that no cookie can hold, until the page is left. */
export function keepToken(text: string | undefined): void {
  token.value = text;
}

/** Where the dashboard's own server is, for `watch`. */
export const SERVER = "/";

/** An HTTP request to the server of this page, with what says who asks. `path` begins with "/". */
export function fetchApi(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token.value !== undefined) headers.set("Authorization", `Bearer ${token.value}`);
  return fetch(path, { ...init, headers, credentials: "same-origin", redirect: "error" });
}

/** The path of what the server has of an upgrade: `rest` begins after the upgrade's own part. */
export function upgradePath(upgradeId: string, rest: string): string {
  return `/api/v1/upgrades/${encodeURIComponent(upgradeId)}/${rest}`;
}

/** What makes a request one that sends `body` as JSON. */
export function jsonPost(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** Why the server has refused: in its own words, where `detail` has some. */
export function refusal({ status }: Response, detail?: string): string {
  return detail ?? `the server answered ${status}`;
}
