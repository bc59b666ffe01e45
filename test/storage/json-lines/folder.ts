/** Folders of journals for tests: made, damaged, read. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

import { jsonLines } from "../../../src/storage/json-lines.ts";
import { appendLines, begun, readAll, type LineOptions } from "../../contracts/log-lines.ts";

/** An empty folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "milepost-storage-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Where the log `up` is. */
export const rootOf = (path: string): string => join(path, "upgrades", "up");
export const journalOf = (path: string, file = 1): string => join(rootOf(path), "journal", `${file}.jsonl`);

/** Appends lines `from` to `to` of the log `up` in one opening; returns them. */
export async function write(
  path: string,
  range: readonly [number, number],
  options: LineOptions = { lastType: "writer.closed" },
): Promise<Buffer[]> {
  const writer = await begun(jsonLines({ path }).openWriter("up"));
  try {
    return await appendLines(writer, range, options);
  } finally {
    await writer.sync();
    await writer.close();
  }
}

/** All bytes of the log `up`, read by a new reader. */
export async function readLog(path: string, ref = "up"): Promise<Buffer> {
  const reader = await jsonLines({ path }).openReader(ref);
  if (reader === undefined) throw new Error(`there should be a log ${ref}`);
  try {
    return await readAll(reader);
  } finally {
    reader.close();
  }
}

/** The files of a folder and what is in them, to see that nothing was changed. */
export function contentsOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((file) => [join(file.parentPath, file.name), readFileSync(join(file.parentPath, file.name), "latin1")]),
  );
}

/** The lines of a journal file, the header first, newlines included. */
export function fileLines(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start) + 1 || bytes.length;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** Writes a journal file anew, as one that damages it would. */
export function writeLines(file: string, lines: readonly Uint8Array[]): void {
  writeFileSync(file, Buffer.concat(lines));
}
