/**
 * The dashboard: the files that `npm run build` has made, served to browsers.
 *
 * All of them are read once and found by their exact name, so no address leads anywhere else. What a browser asks for and is not
 * there gets the page all the same, as 404: the page says so in a way that people can read.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import { MilepostError, shown } from "../errors.ts";
import { hasTag } from "./api/entity-tag.ts";
import { sentPath, type ApiContext } from "./api/route.ts";

/** What the page may do: run the scripts and styles that came with it, and talk to this server. */
export const DASHBOARD_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

interface File {
  readonly type: string;
  readonly body: Buffer<ArrayBuffer>;
  readonly gzipped: Buffer<ArrayBuffer>;
  readonly tag: string;
}

/** Where a build lies: beside the bundle that this module is part of, or in the project that it stands in. */
const FOLDERS = ["../dashboard", "../../dist/dashboard"].map((path) => join(import.meta.dirname, path));

const PAGES = /^\/(?:$|compare$|upgrades\/[^/]*$)/;
/** Addresses that no browser shows as a page. */
const NO_PAGES = /^\/(?:api|assets)\//;

const NOT_BUILT = `<!doctype html>
<html lang="en"><title>Milepost</title>
<h1>The dashboard is not built</h1>
<p>Run <code>npm run build</code> in the project, then start the server again.
<p>Everything else works: <a href="/api/v1/upgrades">the upgrades, as JSON</a>, and <code>milepost watch</code> in a terminal.
</html>
`;

/** Answers a request for a page or one of its files; undefined for what is no business of the dashboard. */
export type Dashboard = (c: ApiContext) => Response | undefined;

/** @param folder - the built files; found by itself when left out. They are read at the first request. */
export function createDashboard(folder?: string): Dashboard {
  let files: ReadonlyMap<string, File> | undefined;
  return (c) => {
    // Nothing is decoded, so nothing can hide in it.
    const path = sentPath(c);
    const isPage = wantsPage(c, path);
    if (!isPage && !path.startsWith("/assets/")) return undefined;
    files ??= readFiles(folder ?? FOLDERS.find((each) => existsSync(join(each, "index.html"))));
    const file = files.get(isPage ? "/index.html" : path);
    if (file === undefined) return isPage ? notBuilt(c) : undefined;
    checkMethod(c, path);
    return answer(c, file, isPage ? { status: PAGES.test(path) ? 200 : 404 } : undefined);
  };
}

/** A program that asks for nothing in particular does not want a page. */
function wantsPage(c: ApiContext, path: string): boolean {
  if (NO_PAGES.test(path) || !/^(GET|HEAD)$/.test(c.req.method)) return false;
  return /(^|[,\s])text\/html\b/i.test(c.req.header("accept") ?? "");
}

/** @throws METHOD_NOT_ALLOWED. */
function checkMethod(c: ApiContext, path: string): void {
  if (/^(GET|HEAD)$/.test(c.req.method)) return;
  c.header("Allow", "GET, HEAD");
  throw new MilepostError("METHOD_NOT_ALLOWED", `${shown(path)} takes GET, HEAD, not ${shown(c.req.method)}`);
}

function answer(c: ApiContext, { type, body, gzipped, tag }: File, page: { status: 200 | 404 } | undefined): Response {
  c.header("Content-Security-Policy", DASHBOARD_CSP);
  c.header("Vary", page === undefined ? "Accept-Encoding" : "Accept, Accept-Encoding");
  c.header("ETag", tag);
  // Files have the hash of their content in their name; the page names those files.
  c.header("Cache-Control", page === undefined ? "public, max-age=31536000, immutable" : "no-cache");
  const { status = 200 } = page ?? {};
  if (status === 200 && hasTag(c.req.header("if-none-match"), tag.replace("W/", ""))) return c.body(null, 304);
  c.header("Content-Type", type);
  const isSmaller =
    gzipped.length < body.length &&
    /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(c.req.header("accept-encoding") ?? "");
  if (isSmaller) c.header("Content-Encoding", "gzip");
  return c.body(isSmaller ? gzipped : body, status);
}

function notBuilt(c: ApiContext): Response {
  c.header("Cache-Control", "no-store");
  return c.html(NOT_BUILT, 503);
}

function readFiles(folder: string | undefined): ReadonlyMap<string, File> {
  const files = new Map<string, File>();
  if (folder === undefined) return files;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const body = readFileSync(path);
    const name = path.slice(folder.length).replaceAll("\\", "/");
    const tag = `W/"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    files.set(name, { type, body, gzipped: readyMade(path, body) ?? gzipSync(body, { level: 9 }), tag });
  }
  return files;
}

/** What the build has compressed, which is smaller; undefined when there is none, or when it holds anything but `body`. */
function readyMade(path: string, body: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> | undefined {
  try {
    const gzipped = readFileSync(`${path}.gz`);
    return gunzipSync(gzipped, { maxOutputLength: body.length }).equals(body) ? gzipped : undefined;
  } catch {
    return undefined;
  }
}
