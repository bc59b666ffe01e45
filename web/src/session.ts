/** Who this page is for the server: nobody in particular, a reader with a token, or one whom a link lets see one upgrade. */

import { signal } from "@preact/signals";

import { isMilepostError, MilepostError, type ErrorCode } from "../../src/errors.ts";
import { fetchApi, keepToken, jsonPost, refusal } from "./access.ts";
import { upgradeHref } from "./router.ts";

export interface Session {
  /** Who this is, for the server; null for nobody in particular, and while that is not known. */
  readonly subject: string | null;
  /** True for a reader who came by a share link: one upgrade can be seen. */
  readonly isShared: boolean;
  /** True for who may look and change nothing. */
  readonly isReadOnly: boolean;
}

const NOBODY: Session = { subject: null, isShared: false, isReadOnly: false };

/** Raised by one whenever the page has become somebody else, so that what failed before is tried again. */
export const generation = signal(0);
export const session = signal<Session>(NOBODY);
/** Why the link that this page was opened with cannot be used. */
export const linkTrouble = signal<string | undefined>(undefined);

const SESSION = "/api/v1/session";

/** What is said to the other tabs of this browser. */
const SIGNED_OUT = "signed out";
let tabs: BroadcastChannel | undefined;

/** Takes the token of a share link out of the address and begins a session with it. Before the first page is shown. */
export async function startSession(): Promise<void> {
  tabs = new BroadcastChannel("milepost-session");
  tabs.addEventListener("message", ({ data }) => data === SIGNED_OUT && becomeNobody());
  const token = /^#share=([\w.~-]+)$/.exec(location.hash)?.[1];
  if (token === undefined) {
    // Nothing waits for it: what may not be seen is refused anyway.
    void askWho();
    return;
  }
  // The token must not stay where it can be read over a shoulder, bookmarked or shared by mistake.
  const { upgrade } = claimsOf(token);
  const isPlain = location.pathname === "/" && typeof upgrade === "string";
  history.replaceState(null, "", isPlain ? upgradeHref(upgrade) : location.pathname + location.search);
  if (typeof upgrade === "string" && (await isKnownReader(upgrade))) return;
  try {
    await signIn(token);
  } catch (error) {
    linkTrouble.value = isMilepostError(error, "TOKEN_EXPIRED")
      ? "This link has expired. Ask whoever sent it for a new one."
      : isMilepostError(error, "UNAUTHENTICATED")
        ? "This link is not valid here, or it was revoked. Ask whoever sent it for a new one."
        : `This link could not be used: ${error instanceof Error ? error.message : String(error)}`;
    void askWho();
  }
}

/** What the server says of a caller. */
interface Who {
  readonly subject: string | null;
  readonly permissions: readonly string[];
  readonly actions: readonly string[];
}

async function askWho(): Promise<void> {
  const who = await whoIs().catch(() => undefined);
  if (who !== undefined) session.value = sessionOf(who);
}

/** True for who may see this upgrade without the link: its cookie would take the place of a session that may do more. */
async function isKnownReader(upgradeId: string): Promise<boolean> {
  const channel = encodeURIComponent(`upgrade:${upgradeId}`);
  const who = await whoIs(`${SESSION}?channel=${channel}`).catch(() => undefined);
  if (who === undefined || sessionOf(who).isShared || !who.actions.includes("watch")) return false;
  session.value = sessionOf(who);
  return true;
}

function sessionOf({ subject, permissions }: Who): Session {
  return {
    subject: subject === "anonymous" ? null : (subject?.replace(/^token:/, "") ?? null),
    isShared: subject?.startsWith("share:") === true,
    isReadOnly: permissions.length > 0 && permissions.every((permission) => permission.startsWith("watch:")),
  };
}

/** Forgets who this is, here, in the cookie, and in the other tabs that had it. */
export async function signOut(): Promise<void> {
  keepToken(undefined);
  await fetchApi(SESSION, { method: "DELETE" });
  tabs?.postMessage(SIGNED_OUT);
  becomeNobody();
}

function becomeNobody(): void {
  keepToken(undefined);
  session.value = NOBODY;
  generation.value += 1;
}

/**
 * Begins a session: with a cookie that scripts cannot read, or, where a token fits no cookie, with the token in memory.
 *
 * @throws UNAUTHENTICATED, TOKEN_EXPIRED, RATE_LIMITED, and what else the server says; CONNECTION_LOST when it says nothing.
 */
export async function signIn(token: string): Promise<void> {
  // What no token is made of would never reach the server.
  if (!/^[\w.~-]+$/.test(token)) throw new MilepostError("UNAUTHENTICATED", "this is not how a token looks");
  const isForCookie = token.length <= 3_800;
  keepToken(isForCookie ? undefined : token);
  try {
    session.value = sessionOf(await (isForCookie ? exchanged(token) : whoIs()));
  } catch (error) {
    keepToken(undefined);
    throw error;
  }
  linkTrouble.value = undefined;
  generation.value += 1;
}

function exchanged(token: string): Promise<Who> {
  return whoIs(SESSION, jsonPost({ token }));
}

async function whoIs(path = SESSION, init: RequestInit = {}): Promise<Who> {
  const answer = await fetchApi(path, init);
  const body = (await answer.json()) as Who & { readonly code?: ErrorCode; readonly detail?: string };
  if (answer.ok) return body;
  throw new MilepostError(body.code ?? "INTERNAL", refusal(answer, body.detail));
}

function claimsOf(token: string): { readonly upgrade?: unknown } {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as { readonly upgrade?: unknown };
  } catch {
    return {};
  }
}
