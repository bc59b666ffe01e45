/**
 * The state as messages for whoever joins: made in slices, so that a large one does not stall the event loop, and shared.
 *
 * A small one is made anew for each new state. A large one is given out again until the events behind it outweigh it: those are
 * sent after it, as to any reader that resumes from its cursor.
 */

import type { Task } from "../model/task.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import type { Encoding } from "./encoding.ts";
import { Turnstile } from "./turnstile.ts";

/** A part of a snapshot has at most about so many bytes, one task being the least. */
const PART_BYTES = 256 * 1024;
const SMALL_BYTES = 64 * 1024;

/** So many parts are sent in one turn of the event loop, to whomever: some milliseconds of it. */
const PARTS_PER_TURN = 16;

/** A state, ready to be sent: JSON texts, encoded once for each kind of connection. */
export class Snapshot {
  readonly seq: number;
  readonly cursor: string;
  readonly sizeBytes: number;
  readonly #texts: readonly string[];
  readonly #encoded = new Map<Encoding, Buffer[]>();
  readonly #turnstile: Turnstile;

  constructor({ seq, cursor }: UpgradeProgress, texts: readonly string[], turnstile: Turnstile) {
    this.seq = seq;
    this.cursor = cursor;
    this.#texts = texts;
    this.#turnstile = turnstile;
    this.sizeBytes = texts.reduce((sum, text) => sum + text.length, 0);
  }

  /** Its messages, each encoded when it is first asked for: whoever takes them one by one does not stall the event loop. */
  *messages(encoding: Encoding): Generator<Buffer, undefined> {
    const encoded = this.#encoded.get(encoding) ?? [];
    this.#encoded.set(encoding, encoded);
    // Only with the last part is it a place to come back to: who has some parts of a state has none.
    const cursorOf = (index: number): string | undefined =>
      index === this.#texts.length - 1 ? this.cursor : undefined;
    for (const [index, text] of this.#texts.entries())
      yield (encoded[index] ??= encoding.text("snapshot", cursorOf(index), text));
    return undefined;
  }

  /** Before each part is sent: a thousand who join at the same moment do not stall the event loop. */
  pass(): Promise<void> {
    return this.#turnstile.pass();
  }
}

/** The snapshots of one channel. */
export class Snapshots {
  readonly #channel: string;
  readonly #turnstile = new Turnstile(PARTS_PER_TURN);
  #newest: { readonly snapshot: Snapshot; readonly atBytes: number } | undefined;
  #making: Promise<Snapshot> | undefined;

  constructor(channel: string) {
    this.#channel = channel;
  }

  /**
   * One of `state`, or an older one that is still good.
   *
   * @param logBytes - how long the log was at `state`, as its owner counts.
   */
  async get(state: UpgradeProgress, logBytes: number): Promise<Snapshot> {
    if (this.#newest !== undefined) {
      const { snapshot, atBytes } = this.#newest;
      const isLarge = snapshot.sizeBytes > SMALL_BYTES;
      if (snapshot.seq === state.seq || (isLarge && logBytes - atBytes <= snapshot.sizeBytes)) return snapshot;
    }
    this.#making ??= this.#make(state, logBytes).finally(() => (this.#making = undefined));
    return this.#making;
  }

  async #make(state: UpgradeProgress, logBytes: number): Promise<Snapshot> {
    const parts: string[] = [];
    for (const part of taskTexts(state.tasks.values())) {
      parts.push(part);
      if (parts.length > 1) await new Promise(setImmediate);
    }
    const snapshot = new Snapshot(state, this.#texts(state, parts), this.#turnstile);
    this.#newest = { snapshot, atBytes: logBytes };
    return snapshot;
  }

  #texts(state: UpgradeProgress, [first = "", ...others]: readonly string[]): readonly string[] {
    const { tasks: _, ...head } = state;
    const opening = `{"type":"snapshot","channel":${JSON.stringify(this.#channel)},"cursor":"${state.cursor}","recovered":false`;
    const upgrade = `"upgrade":${JSON.stringify(head).slice(0, -1)},"tasks":[${first}]}}`;
    if (others.length === 0) return [`${opening},${upgrade}`];
    const parts = others.length + 1;
    return [
      `${opening},"part":1,"parts":${parts},${upgrade}`,
      ...others.map((tasks, index) => `${opening},"part":${index + 2},"parts":${parts},"tasks":[${tasks}]}`),
    ];
  }
}

/** The tasks as JSON, comma between them, cut into parts. */
function* taskTexts(tasks: Iterable<Task>): Generator<string, undefined> {
  let texts: string[] = [];
  let size = 0;
  for (const task of tasks) {
    const text = JSON.stringify(task);
    const bytes = Buffer.byteLength(text);
    if (texts.length > 0 && size + bytes > PART_BYTES - SLACK_BYTES) {
      yield texts.join(",");
      texts = [];
      size = 0;
    }
    texts.push(text);
    size += bytes + 1;
  }
  yield texts.join(",");
  return undefined;
}

/** Room for what stands round the tasks. */
const SLACK_BYTES = 8 * 1024;
