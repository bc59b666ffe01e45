/** What the storage contract stores and reads with. */

import type { LogHolder, LogReader, LogWriter, Storage } from "../../src/storage/storage.ts";
import { appendLines, begun } from "./log-lines.ts";

/** One set of stored logs. `open` may be called again: each storage that it gives sees the same logs. */
export interface StoredLogs {
  open(): Storage;
}

export const HOLDER: LogHolder = { program: "agent", pid: 4711, host: "here", since: "2026-01-02T03:04:05.000Z" };

export type Rule = (title: string, test: (logs: StoredLogs) => Promise<void>) => void;

export async function openReader(storage: Storage, ref: string): Promise<LogReader> {
  const reader = await storage.openReader(ref);
  if (reader === undefined) throw new Error(`there should be a log ${ref}`);
  return reader;
}

/** A storage with the log `up` of `count` lines, its writer still open. */
export async function withLog(
  logs: StoredLogs,
  count: number,
): Promise<{ storage: Storage; writer: LogWriter; lines: Buffer[] }> {
  const storage = logs.open();
  const writer = await begun(storage.openWriter("up"));
  return { storage, writer, lines: await appendLines(writer, [1, count]) };
}
