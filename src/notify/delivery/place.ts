/** Finds where reading goes on, in whichever run of the upgrade that is. */

import { isMilepostError } from "../../errors.ts";
import { firstCursor, parseCursor } from "../../model/cursor.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import type { LogReader, Storage } from "../../storage/storage.ts";
import { nextTurn } from "../../stream/fold-in-turns.ts";
import { seekCursor } from "../../tracker/read.ts";

/** A place in the log of one run. */
export interface Place {
  readonly run: number;
  readonly cursor: string;
}

/** A log that is being read. */
export interface OpenRun {
  readonly reader: LogReader;
  readonly run: number;
  /** True when it was followed by another run: nothing is added to it any more. */
  readonly isFinished: boolean;
}

export interface Found {
  /** Undefined while there is no log to read. */
  readonly open: OpenRun | undefined;
  readonly place: Place;
  /** Why it is not the place that was asked for; undefined when it is. */
  readonly fault?: string;
}

export type Logs = Pick<Storage, "openReader">;

/** The log of one run of the upgrade, at its beginning. @throws CORRUPT, STORAGE_UNUSABLE. */
export async function openRun(logs: Logs, upgradeId: string, run: number): Promise<OpenRun | undefined> {
  for (const ref of [upgradeId, `${upgradeId}@${run}`]) {
    const reader = await logs.openReader(ref);
    if (reader === undefined) continue;
    // An upgrade may have an id that looks like the finished run of another one.
    if (reader.header.upgradeId === upgradeId && reader.header.run === run)
      return { reader, run, isFinished: ref !== upgradeId };
    reader.close();
  }
  return undefined;
}

/** Where a delivery begins that has no record. */
export interface Start {
  /** The run; the newest when absent. */
  readonly run?: number | undefined;
  /** Behind a cursor only if that log is this run's; else at its beginning. */
  readonly from: "beginning" | "end" | { readonly after: string };
}

/** Undefined while that log is not there. */
export async function findStart(logs: Logs, upgradeId: string, { run, from }: Start): Promise<Found | undefined> {
  const open = run === undefined ? await openNewest(logs, upgradeId) : await openRun(logs, upgradeId, run);
  if (open === undefined) return undefined;
  const { logId } = open.reader.header;
  if (typeof from === "object" && logIdOf(from.after) === logId) {
    open.reader.close();
    return findPlace(logs, upgradeId, { run: open.run, cursor: from.after });
  }
  const cursor = from === "end" ? await lastCursor(open.reader) : undefined;
  return { open, place: { run: open.run, cursor: cursor ?? firstCursor(logId) } };
}

async function openNewest(logs: Logs, upgradeId: string): Promise<OpenRun | undefined> {
  const reader = await logs.openReader(upgradeId);
  return reader && { reader, run: reader.header.run, isFinished: false };
}

/** The place itself where it is still on the history; else the safe one: the newest before it that is, or the very first. */
export async function findPlace(logs: Logs, upgradeId: string, place: Place): Promise<Found> {
  const open = await openRun(logs, upgradeId, place.run);
  const logId = logIdOf(place.cursor);
  if (open !== undefined && open.reader.header.logId === logId) {
    try {
      await seekCursor(open.reader, place.cursor);
      return { open, place };
    } catch (error) {
      if (!isMilepostError(error, "CURSOR_GONE")) throw error;
      const cursor = await newestShared(open.reader, place.cursor);
      await seekCursor(open.reader, cursor);
      return { open, place: { run: place.run, cursor }, fault: "the log has lost events that were told already" };
    }
  }
  open?.reader.close();
  const first = await openFirst(logs, upgradeId, open?.run ?? place.run);
  // Of a log that is not there now nothing is known: perhaps it comes back.
  if (first === undefined) return { open: undefined, place };
  const fault = logId === undefined ? "the cursor is none" : "the log is another one than the one that was told";
  return { open: first, place: { run: first.run, cursor: firstCursor(first.reader.header.logId) }, fault };
}

/** The oldest run that there is. */
export async function openFirst(logs: Logs, upgradeId: string, upTo?: number): Promise<OpenRun | undefined> {
  const newest = await logs.openReader(upgradeId);
  const last = Math.max(newest?.header.run ?? 0, upTo ?? 0);
  newest?.close();
  for (let run = 1; run <= last; run++) {
    const open = await openRun(logs, upgradeId, run);
    if (open !== undefined) return open;
  }
  return undefined;
}

function logIdOf(cursor: string): string | undefined {
  try {
    return parseCursor(cursor).logId;
  } catch {
    return undefined;
  }
}

async function lastCursor(reader: LogReader): Promise<string | undefined> {
  let cursor: string | undefined;
  for await (const event of eventsOf(reader)) ({ cursor } = event);
  return cursor;
}

/**
 * The last event of the cursor's own term that the log still has: up to there it is the same history. If no later term follows
 * it, nobody knows what that writer has written anew: then the beginning of its term.
 */
async function newestShared(reader: LogReader, lost: string): Promise<string> {
  const { logId, term } = parseCursor(lost);
  let before = firstCursor(logId);
  let own: string | undefined;
  await reader.seek(0);
  for await (const { cursor } of eventsOf(reader)) {
    if (parseCursor(cursor).term === term) own = cursor;
    else if (own !== undefined) return own;
    else before = cursor;
  }
  return own === undefined ? firstCursor(logId) : before;
}

async function* eventsOf(reader: LogReader): AsyncGenerator<{ readonly cursor: string }, undefined> {
  for (let batch = await reader.read(); batch !== undefined; batch = await reader.read()) {
    for (const line of splitLines(batch.bytes)) yield parseLine(line);
    await nextTurn();
  }
  return undefined;
}
