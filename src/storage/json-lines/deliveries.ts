/**
 * What the deliveries of an upgrade keep, in the upgrade's folder:
 *
 *   deliveries/<name>.json         where a notifier's delivery stands; replaced as a whole
 *   deliveries/<name>.sent.jsonl   what was sent when with what answer; at SENT_BYTES it becomes `<name>.sent.1.jsonl`
 *   deliveries/<name>.lock         who may send (lock.ts)
 *   dead-letters.jsonl             append only, for all notifiers; a line that is not whole is none
 *
 * A record that a power cut takes back is an older one, so events are sent twice, never not at all. What blocks on the disk
 * blocks no event loop: a tracker may live in the same process.
 */

import { join } from "node:path";

import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import {
  degraded,
  discard,
  openToRead,
  readAt,
  readWhole,
  syncDirectory,
  systemErrorCode,
  writeFully,
} from "../files.ts";
import { unusable, type FileSystem } from "../files.ts";
import type { DeliveryLock, DeliveryStore, StoredTexts } from "../storage.ts";
import { acquireLock, isLocked } from "./lock.ts";
import type { UpgradePaths } from "./places.ts";

const SENT_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

export function deliveriesIn(fs: FileSystem, paths: UpgradePaths): DeliveryStore {
  const pathOf = (name: string, ending: string): string => join(paths.deliveries, `${name}${ending}`);
  return {
    list: () => namesIn(fs, paths.deliveries),
    load: (name) => readText(fs, pathOf(name, ".json")),
    save: (name, text) => writing(fs, paths, () => replace(fs, pathOf(name, ".json"), `${text}\n`)),
    addDeadLetters: (lines) => writing(fs, paths, () => append(fs, paths.deadLetters, lines)),
    readDeadLetters: (from, maxBytes = 65_536) => readTexts(fs, paths.deadLetters, { from, maxBytes }),
    addSent: (name, lines) => addSent(fs, pathOf(name, ".sent"), lines),
    readSent: (name) =>
      [".sent.1.jsonl", ".sent.jsonl"].flatMap((ending) => linesOf(readText(fs, pathOf(name, ending)) ?? "")),
    lock: (name) => {
      ensureFolder(fs, paths);
      return lockAt(fs, { directory: paths.deliveries, path: pathOf(name, ".lock") });
    },
  };
}

function namesIn(fs: FileSystem, directory: string): readonly string[] {
  try {
    return fs
      .readdirSync(directory)
      .filter((file) => file.endsWith(".json"))
      .map((file) => file.slice(0, -".json".length))
      .sort();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw unusable(directory, error);
  }
}

function readText(fs: FileSystem, path: string): string | undefined {
  try {
    return readWhole(fs, path)?.toString("utf8");
  } catch (error) {
    throw isMilepostError(error) ? error : unusable(path, error);
  }
}

/** Made only in a folder that is there: what is left of a deleted upgrade must not come back. @throws UNKNOWN_UPGRADE. */
function ensureFolder(fs: FileSystem, { root, deliveries }: UpgradePaths): void {
  if (fs.existsSync(deliveries)) return;
  try {
    fs.mkdirSync(deliveries, 0o700);
    syncDirectory(fs, root);
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return;
    if (systemErrorCode(error) !== "ENOENT") throw unusable(deliveries, error);
    throw new MilepostError("UNKNOWN_UPGRADE", `${shown(root)} is gone: there is no upgrade to tell of`, {
      context: { path: root },
      cause: error,
    });
  }
}

async function writing(fs: FileSystem, paths: UpgradePaths, write: () => Promise<void>): Promise<void> {
  ensureFolder(fs, paths);
  try {
    await write();
  } catch (error) {
    throw isMilepostError(error) ? error : degraded(paths.deliveries, error);
  }
}

async function replace(fs: FileSystem, path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const fd = fs.openSync(temporary, "w", 0o600);
    try {
      writeFully(fs, fd, Buffer.from(text), 0);
      await synced(fs, fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, path);
  } catch (error) {
    discard(fs, temporary);
    throw error;
  }
}

const synced = (fs: FileSystem, fd: number): Promise<void> =>
  new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error))));

/** In one write: the kernel puts it behind what is there, also when another process appends at the same time. */
async function append(fs: FileSystem, path: string, lines: readonly string[]): Promise<void> {
  const isNew = !fs.existsSync(path);
  const fd = fs.openSync(path, "a+", 0o600);
  try {
    const { size } = fs.fstatSync(fd);
    // Behind a line that a crash has cut, a new one would be lost with it.
    const isCut = size > 0 && readAt(fs, fd, size - 1, 1)[0] !== NEWLINE;
    const bytes = Buffer.from(`${isCut ? "\n" : ""}${lines.map((line) => `${line}\n`).join("")}`);
    const written = fs.writeSync(fd, bytes, 0, bytes.length, null);
    if (written < bytes.length) throw Object.assign(new Error("the system took a part only"), { code: "ENOSPC" });
    await synced(fs, fd);
  } finally {
    fs.closeSync(fd);
  }
  if (isNew) syncDirectory(fs, join(path, ".."));
}

function readTexts(
  fs: FileSystem,
  path: string,
  { from, maxBytes }: { readonly from: number; readonly maxBytes: number },
): StoredTexts {
  let fd: number;
  try {
    fd = openToRead(fs, path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return { lines: [], next: from };
    throw isMilepostError(error) ? error : unusable(path, error);
  }
  try {
    const { size } = fs.fstatSync(fd);
    for (let length = Math.min(maxBytes, size - from); length > 0; length = Math.min(length * 2, size - from)) {
      const texts = textsIn(readAt(fs, fd, from, length), from);
      if (texts.lines.length > 0 || length >= size - from) return texts;
    }
    return { lines: [], next: from };
  } finally {
    fs.closeSync(fd);
  }
}

function textsIn(bytes: Buffer, from: number): StoredTexts {
  const lines: { text: string; next: number }[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    lines.push({ text: bytes.toString("utf8", start, end), next: from + end + 1 });
    start = end + 1;
  }
  return { lines, next: from + start };
}

const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

/** Nobody waits for it, and nothing depends on it. */
function addSent(fs: FileSystem, stem: string, lines: readonly string[]): void {
  const path = `${stem}.jsonl`;
  try {
    const fd = fs.openSync(path, "a", 0o600);
    try {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      fs.writeSync(fd, bytes, 0, bytes.length, null);
      if (fs.fstatSync(fd).size >= SENT_BYTES) fs.renameSync(path, `${stem}.1.jsonl`);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // A full disk: what was sent stays sent.
  }
}

function lockAt(
  fs: FileSystem,
  place: { readonly directory: string; readonly path: string },
): DeliveryLock | undefined {
  // Asked first, because taking it waits a little for a holder, and the event loop with it.
  if (isLocked({ fs, ...place })) return undefined;
  try {
    return acquireLock({ fs, ...place }, { holder: () => undefined });
  } catch (error) {
    if (isMilepostError(error, "LOCKED")) return undefined;
    throw error;
  }
}
