/**
 * Requests that take effect once, however often they come.
 *
 * A command of a request with an Idempotency-Key carries `request` into the event that it makes: `<key>.<body>.<index>`, the
 * first two as hashes. So effect and key are one append, and nothing can lie between them. When the key comes again, the log
 * says which commands have happened; these are answered with their events, and only those after them are executed.
 *
 * The log is read for such marks once per upgrade and server, and from where that ended at each later request. The newest
 * {@link MAX_REQUESTS} of an upgrade count. Two requests of one upgrade with keys are executed one after the other.
 */

import { createHash, randomUUID } from "node:crypto";

import { MilepostError, shown } from "../../errors.ts";
import type { Command } from "../../model/command.ts";
import { parseCursor } from "../../model/cursor.ts";
import type { ProgressEvent } from "../../model/event.ts";
import { canonicalJson } from "../../model/json.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import type { LogReader } from "../../storage/storage.ts";
import type { UpgradeIdentity, Upgrades } from "../../stream/upgrades.ts";
import type { Grant } from "../auth/grant.ts";
import { RequestMarks, type Made } from "./request-marks.ts";
import type { ApiContext } from "./route.ts";

interface Execution {
  readonly upgradeId: string;
  readonly commands: readonly Command[];
  readonly identity?: UpgradeIdentity;
  readonly key: string | undefined;
  readonly grant: Grant;
}

interface Executed {
  /** One for each command; of one that was executed idly before a restart, none. */
  readonly events: readonly ProgressEvent[];
  /** True if all of it had happened before. */
  readonly isRepeated: boolean;
}

export interface Requests {
  /** An id for an upgrade that has none: the same for the same key of the same caller. */
  newId(grant: Grant | undefined, key: string | undefined): string;
  /** @throws KEY_REUSED, and as `Upgrades.execute`. */
  execute(execution: Execution): Promise<Executed>;
}

/** The newest requests with keys that are known of an upgrade. */
const MAX_REQUESTS = 10_000;
/** Upgrades whose marks are in memory; of others the log is read again. */
const MAX_UPGRADES = 1_000;

/** Enough for one line nearly always. */
const READ_ONE_BYTES = 4096;

const KEY = /^[\x21-\x7e]{1,255}$/;

/** The Idempotency-Key of a request, with or without quotes. @throws INVALID_ARGUMENT. */
export function keyOf(c: ApiContext): string | undefined {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return undefined;
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (KEY.test(key)) return key;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `Idempotency-Key must be 1 to 255 visible ASCII characters, not ${shown(header)}`,
  );
}

export function createRequests(upgrades: Upgrades): Requests {
  const marks = new Map<string, RequestMarks>();
  const busy = new Map<string, Promise<unknown>>();

  const marksOf = (upgradeId: string): RequestMarks => {
    const known = marks.get(upgradeId) ?? new RequestMarks(upgrades, upgradeId, MAX_REQUESTS);
    // The one that was asked for longest ago is the first.
    marks.delete(upgradeId);
    marks.set(upgradeId, known);
    for (const oldest of marks.keys()) {
      if (marks.size <= MAX_UPGRADES) break;
      marks.delete(oldest);
    }
    return known;
  };

  const inTurn = async <T>(upgradeId: string, work: () => Promise<T>): Promise<T> => {
    const turn = (busy.get(upgradeId) ?? Promise.resolve()).then(work, work);
    busy.set(upgradeId, turn);
    try {
      return await turn;
    } finally {
      if (busy.get(upgradeId) === turn) busy.delete(upgradeId);
    }
  };

  return {
    newId: (grant, key) =>
      key === undefined ? randomUUID() : `upgrade-${hash(`${grant?.subject ?? ""}\n${key}`, 20)}`,
    execute: async ({ upgradeId, commands, identity, key, grant }) => {
      if (key === undefined)
        return { events: await upgrades.execute(upgradeId, commands, identity), isRepeated: false };
      const name = hash(`${grant.subject}\n${key}`, 16);
      const body = hash(canonicalJson({ commands, identity: identity ?? null }), 16);
      return inTurn(upgradeId, () =>
        executeOnce({ upgrades, marks: marksOf(upgradeId) }, { upgradeId, commands, identity, name, body }),
      );
    },
  };
}

interface Once {
  readonly upgradeId: string;
  readonly commands: readonly Command[];
  readonly identity: UpgradeIdentity | undefined;
  readonly name: string;
  readonly body: string;
}

async function executeOnce(
  { upgrades, marks }: { readonly upgrades: Upgrades; readonly marks: RequestMarks },
  { upgradeId, commands, identity, name, body }: Once,
): Promise<Executed> {
  await marks.readOn();
  const before = marks.find(name);
  if (before !== undefined && before.body !== body) {
    throw new MilepostError(
      "KEY_REUSED",
      "this Idempotency-Key came before with another request; use a new key for each request",
    );
  }
  const happened = before === undefined ? 0 : Math.max(...before.made.keys()) + 1;
  const rest = commands
    .slice(happened)
    .map((command, index) => ({ ...command, request: `${name}.${body}.${happened + index}` }));
  const earlier = await eventsOf(upgrades, upgradeId, before?.made);
  const events = rest.length === 0 ? [] : await upgrades.execute(upgradeId, rest, identity);
  // Also what was idle, and so is not in the log: a copy of this request must not find it not idle.
  for (const [index, { cursor }] of events.entries())
    if (typeof cursor === "string") marks.add({ name, body, index: happened + index, cursor });
  return { events: [...earlier, ...events], isRepeated: rest.length === 0 };
}

/** The events of commands that have happened before, in their order. */
async function eventsOf(
  upgrades: Upgrades,
  upgradeId: string,
  made: Made | undefined,
): Promise<readonly ProgressEvent[]> {
  const events: ProgressEvent[] = [];
  for (const [, cursor] of [...(made ?? [])].sort(([a], [b]) => a - b)) {
    const event = await eventAt(upgrades, upgradeId, cursor);
    if (event !== undefined) events.push(event);
  }
  return events;
}

/** The event of a cursor, in the log of the newest run or of the one before. */
async function eventAt(upgrades: Upgrades, upgradeId: string, cursor: string): Promise<ProgressEvent | undefined> {
  const newest = await upgrades.log(upgradeId).openReader();
  if (newest === undefined) return undefined;
  const found = await readAt(newest, cursor);
  if (found !== undefined || newest.header.run === 1) return found;
  const before = await upgrades.log(`${upgradeId}@${newest.header.run - 1}`).openReader();
  return before && readAt(before, cursor);
}

async function readAt(reader: LogReader, cursor: string): Promise<ProgressEvent | undefined> {
  const { logId, seq } = parseCursor(cursor);
  try {
    if (reader.header.logId !== logId || !(await reader.seek(seq - 1))) return undefined;
    const batch = await reader.read(READ_ONE_BYTES);
    const [line] = batch === undefined ? [] : splitLines(batch.bytes);
    const event = line && parseLine(line);
    return event?.cursor === cursor ? event : undefined;
  } finally {
    reader.close();
  }
}

/** The first digits of the SHA-256, in hexadecimal. */
const hash = (text: string, digits: number): string => createHash("sha256").update(text).digest("hex").slice(0, digits);
