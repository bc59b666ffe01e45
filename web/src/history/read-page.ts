/** One page of a log, read from the API in pieces small enough that the page stays lively. */

import type { ProgressEvent } from "../../../src/model/event.ts";
import { refusal, upgradePath } from "../access.ts";

export type Get = (path: string, init: RequestInit) => Promise<Response>;

export interface PageRequest {
  readonly upgradeId: string;
  /** The cursor to go on from; from the beginning without one. */
  readonly after: string | undefined;
  readonly get: Get;
  readonly signal: AbortSignal;
}

/** The place is not on the log's history any more: it has to be read from its beginning. */
export class HistoryGone extends Error {}

const LIMIT = 1_000;
/** Work between two looks at what else waits, in ms. */
const SLICE_MS = 8;
const LINES_PER_LOOK = 32;

/** The events of the next page, in pieces; nothing at the end of the log. @throws HistoryGone, and Error for what may go away. */
export async function* readPage({
  upgradeId,
  after,
  get,
  signal,
}: PageRequest): AsyncGenerator<readonly ProgressEvent[]> {
  const query = new URLSearchParams({ limit: String(LIMIT), ...(after !== undefined && { after }) });
  const answer = await get(upgradePath(upgradeId, `events?${query.toString()}`), {
    headers: { Accept: "application/x-ndjson" },
    signal,
  });
  if (answer.status === 410) throw new HistoryGone("the history of this upgrade has changed; it is read again");
  if (!answer.ok) throw new Error(`${refusal(answer)}${await detailOf(answer)}`);
  const lines = (await answer.text()).split("\n");
  let sinceMs = performance.now();
  for (let from = 0; from < lines.length; from += LINES_PER_LOOK) {
    const events = lines.slice(from, from + LINES_PER_LOOK).flatMap((line) => (line === "" ? [] : [eventOf(line)]));
    if (events.length > 0) yield events;
    if (performance.now() - sinceMs < SLICE_MS) continue;
    await new Promise((resolve) => void setTimeout(resolve));
    signal.throwIfAborted();
    sinceMs = performance.now();
  }
}

/** A line of a log has its checksum with it, which is not part of the event. */
function eventOf(line: string): ProgressEvent {
  const { crc: _, ...event } = JSON.parse(line) as ProgressEvent & { readonly crc?: string };
  return event;
}

async function detailOf(answer: Response): Promise<string> {
  try {
    const { detail } = (await answer.json()) as { readonly detail?: unknown };
    return typeof detail === "string" ? `: ${detail}` : "";
  } catch {
    return "";
  }
}
