/** The storage that keeps logs in this process only: for tests, and for programs that want no files. */

import { MilepostError } from "../errors.ts";
import { parseLine } from "./line.ts";
import { MemoryDeliveries, memoryDeliveries } from "./memory/deliveries.ts";
import type {
  LineBatch,
  LogHeader,
  LogHolder,
  LogReader,
  LogRef,
  LogWriter,
  Storage,
  StoredSnapshot,
} from "./storage.ts";

interface MemoryLog {
  readonly header: LogHeader;
  readonly lines: Uint8Array[];
  snapshot: StoredSnapshot | undefined;
}

interface MemoryUpgrade {
  current: MemoryLog;
  readonly finished: MemoryLog[];
  /** The present writer; another one's appends are refused. */
  writer: symbol | undefined;
  holder: LogHolder | undefined;
  readonly deliveries: MemoryDeliveries;
}

interface MemoryState {
  readonly upgrades: Map<string, MemoryUpgrade>;
  readonly listeners: Set<Listener>;
}

/** Who watches the log of `ref`, or all. */
interface Listener {
  readonly ref: string | undefined;
  readonly onChange: (changed?: string) => void;
}

/** A storage in memory. Two openers of one instance see the same logs. */
export function memory(): Storage {
  const state: MemoryState = { upgrades: new Map(), listeners: new Set() };
  return {
    kind: "memory",
    location: "memory",
    isSynchronous: true,
    list: () => [...state.upgrades].flatMap(([upgradeId, upgrade]) => refsOf(upgradeId, upgrade)),
    openWriter: (upgradeId, { takeOver = false } = {}) => openWriter(state, upgradeId, takeOver),
    openReader: (ref) => {
      const log = findLog(state, ref);
      return log && openReader(log, () => findLog(state, ref) === log);
    },
    holder: (upgradeId) => {
      const upgrade = state.upgrades.get(upgradeId);
      return upgrade?.writer === undefined ? undefined : (upgrade.holder ?? thisProcess());
    },
    watch: (ref, onChange) => {
      const listener = { ref, onChange };
      state.listeners.add(listener);
      return () => void state.listeners.delete(listener);
    },
    info: (upgradeId) => {
      const lines = state.upgrades.get(upgradeId)?.current.lines ?? [];
      return {
        location: "memory",
        exists: lines.length > 0,
        sizeBytes: lines.reduce((sum, line) => sum + line.length, 0),
      };
    },
    deliveries: (upgradeId) => memoryDeliveries(upgradeId, () => state.upgrades.get(upgradeId)?.deliveries),
    delete: (upgradeId) => {
      if (state.upgrades.get(upgradeId)?.writer !== undefined)
        throw locked(upgradeId, state.upgrades.get(upgradeId)?.holder);
      const refs = refsOf(upgradeId, state.upgrades.get(upgradeId));
      state.upgrades.delete(upgradeId);
      for (const { ref } of refs) tellOf(state, ref);
    },
    close: () => undefined,
  };
}

function tellOf({ listeners }: MemoryState, changed: string): void {
  for (const { ref, onChange } of listeners) if (ref === undefined || ref === changed) onChange(changed);
}

function refsOf(upgradeId: string, upgrade: MemoryUpgrade | undefined): LogRef[] {
  if (upgrade === undefined) return [];
  const { current, finished } = upgrade;
  const runs = finished.map(({ header: { run } }) => ({ ref: `${upgradeId}@${run}`, upgradeId, run }));
  return current.lines.length === 0 ? runs : [...runs, { ref: upgradeId, upgradeId }];
}

function findLog({ upgrades }: MemoryState, ref: string): MemoryLog | undefined {
  const own = upgrades.get(ref)?.current;
  if (own !== undefined && own.lines.length > 0) return own;
  const match = /^(.+)@([1-9]\d{0,14})$/s.exec(ref);
  return match === null ? undefined : upgrades.get(match[1] as string)?.finished[Number(match[2]) - 1];
}

let nextLogId = 0;

function newLog(upgradeId: string, run: number): MemoryLog {
  nextLogId += 1;
  return {
    header: { logId: `m${Date.now().toString(36)}x${nextLogId.toString(36)}`, upgradeId, run },
    lines: [],
    snapshot: undefined,
  };
}

/** @param isThere - false when the log is no longer what its ref names. */
function openReader(log: MemoryLog, isThere: () => boolean = () => true): LogReader {
  let next = 0;
  return {
    header: log.header,
    read: (maxBytes = 256 * 1024) => {
      const first = next;
      for (let size = 0; next < log.lines.length && size < maxBytes; next++)
        size += (log.lines[next] as Uint8Array).length;
      if (next === first && !isThere()) throw historyChanged(next);
      return next === first ? undefined : batchOf(log.lines.slice(first, next), first + 1);
    },
    seek: (seq) => {
      if (!Number.isSafeInteger(seq) || seq < 0 || seq > log.lines.length) return false;
      next = seq;
      return true;
    },
    snapshot: () => {
      const snapshot = log.snapshot !== undefined && isOnHistory(log, log.snapshot) ? log.snapshot : undefined;
      next = snapshot?.seq ?? 0;
      return snapshot;
    },
    close: () => undefined,
  };
}

function isOnHistory({ lines }: MemoryLog, { seq, cursor }: StoredSnapshot): boolean {
  const line = lines[seq - 1];
  return line !== undefined && parseLine(line).cursor === cursor;
}

function historyChanged(seq: number): MilepostError {
  return new MilepostError(
    "CURSOR_GONE",
    `the log has changed below seq ${seq}: what was read is no longer its history; read it again from its beginning`,
    { context: { seq } },
  );
}

function batchOf(lines: readonly Uint8Array[], firstSeq: number): LineBatch {
  let end = 0;
  const ends = lines.map((line) => (end += line.length));
  return { bytes: Buffer.concat(lines), ends, firstSeq, lastSeq: firstSeq + lines.length - 1 };
}

function openWriter(state: MemoryState, upgradeId: string, takeOver: boolean): LogWriter {
  const upgrade = state.upgrades.get(upgradeId) ?? {
    current: newLog(upgradeId, 1),
    finished: [],
    writer: undefined,
    holder: undefined,
    deliveries: new MemoryDeliveries(),
  };
  if (upgrade.writer !== undefined && !takeOver) throw locked(upgradeId, upgrade.holder);
  state.upgrades.set(upgradeId, upgrade);
  const me = Symbol(upgradeId);
  upgrade.writer = me;
  upgrade.holder = undefined;
  let reader = openReader(upgrade.current);
  let isClosed = false;
  const refuseOthers = (): void => {
    if (isClosed) throw closed(upgradeId);
    if (upgrade.writer !== me) {
      throw new MilepostError(
        "FENCED",
        `another writer has taken upgrade ${upgradeId} over; stop reporting here, the new writer goes on`,
        { context: { upgradeId } },
      );
    }
  };
  return {
    get header() {
      return upgrade.current.header;
    },
    get reader() {
      return reader;
    },
    begin: () => undefined,
    append: (expectedSeq, lines) => {
      refuseOthers();
      appendLines(upgrade.current, expectedSeq, lines);
      tellOf(state, upgradeId);
    },
    sync: async () => refuseOthers(),
    saveSnapshot: async ({ seq, cursor }, parts) => {
      refuseOthers();
      upgrade.current.snapshot = { seq, cursor, text: [...parts].join("") };
    },
    beginNextRun: () => {
      refuseOthers();
      const { run } = upgrade.current.header;
      upgrade.finished.push(upgrade.current);
      upgrade.current = newLog(upgradeId, run + 1);
      reader = openReader(upgrade.current);
      for (const ref of [`${upgradeId}@${run}`, upgradeId]) tellOf(state, ref);
      return upgrade.current.header;
    },
    announce: (holder) => {
      refuseOthers();
      upgrade.holder = holder;
    },
    close: () => {
      isClosed = true;
      if (upgrade.writer === me) upgrade.writer = undefined;
    },
  };
}

function appendLines(log: MemoryLog, expectedSeq: number, bytes: Uint8Array): void {
  if (expectedSeq !== log.lines.length) {
    throw new MilepostError(
      "CORRUPT",
      `the log of ${log.header.upgradeId} ends at seq ${log.lines.length}, not at ${expectedSeq}; open it again`,
    );
  }
  let start = 0;
  for (let end = bytes.indexOf(0x0a) + 1; end > 0; end = bytes.indexOf(0x0a, start) + 1) {
    log.lines.push(bytes.subarray(start, end));
    start = end;
  }
}

function closed(upgradeId: string): MilepostError {
  return new MilepostError("CLOSED", `the log of ${upgradeId} is closed; open the upgrade again to write it`, {
    context: { upgradeId },
  });
}

function thisProcess(): LogHolder {
  return { program: "this process", pid: process.pid, host: "localhost", since: "an unknown time" };
}

function locked(upgradeId: string, holder: LogHolder = thisProcess()): MilepostError {
  return new MilepostError(
    "LOCKED",
    `upgrade ${upgradeId} is held by another tracker of this process; close it first, or open with takeOver`,
    { context: { upgradeId, holder } },
  );
}
