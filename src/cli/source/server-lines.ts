/** The stored lines of a log, read from a server page by page, and for as long as they come. */

import { setTimeout as sleep } from "node:timers/promises";
import { ERRORS, isMilepostError } from "../../errors.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import { askServer, type ServerAddress } from "../server-requests.ts";
import type { LinesOptions } from "./port.ts";

interface ServerLinesOptions extends LinesOptions {
  /** How long a server that has not answered yet is tried. */
  readonly firstAnswerMs: number;
}

const PAGE = 10_000;
/** How long the server holds a question to which there is no answer yet, and how much longer we wait for it. */
const WAIT_S = 25;
const PATIENCE_MS = 15_000;
const PAUSE_MS = 500;

/**
 * Page after page from a cursor on; with `follow` also what is written later. A server that goes away is asked again until it is
 * back: the cursor says where to go on, so nothing is left out and nothing comes twice.
 */
export async function* serverLines(
  address: ServerAddress,
  ref: string,
  { after, follow = false, signal, firstAnswerMs }: ServerLinesOptions,
): AsyncGenerator<Uint8Array, undefined> {
  let cursor = after;
  let hasAnswered = false;
  while (signal?.aborted !== true) {
    const query = new URLSearchParams({
      limit: String(PAGE),
      ...(cursor !== undefined && { after: cursor }),
      ...(follow && hasAnswered && { wait: String(WAIT_S) }),
    });
    const bytes = await page(address, `api/v1/upgrades/${encodeURIComponent(ref)}/events?${query.toString()}`, {
      signal,
      timeoutMs: hasAnswered ? WAIT_S * 1000 + PATIENCE_MS : firstAnswerMs,
      isPatient: hasAnswered,
    });
    if (bytes === undefined) continue;
    hasAnswered = true;
    if (bytes.byteLength > 0) {
      yield bytes;
      cursor = lastCursor(bytes);
    } else if (!follow) return undefined;
  }
  return undefined;
}

interface Page {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** The server has answered before: it is waited for. */
  readonly isPatient: boolean;
}

/** Undefined: there was no answer, and it is worth another try. */
async function page(
  address: ServerAddress,
  path: string,
  { signal, timeoutMs, isPatient }: Page,
): Promise<Uint8Array | undefined> {
  try {
    const headers = { Accept: "application/x-ndjson, application/problem+json" };
    const answer = await askServer(address, { method: "GET", path, headers, timeoutMs, signal });
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    if (signal?.aborted === true) return undefined;
    // An answer that broke off is asked for again, as a whole.
    const isPassing = !isMilepostError(error) || ERRORS[error.code].retryable;
    if (!isPatient || !isPassing) throw error;
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    return undefined;
  }
}

function lastCursor(bytes: Uint8Array): string {
  let last: Uint8Array = bytes;
  for (const line of splitLines(bytes)) last = line;
  return parseLine(last).cursor;
}
