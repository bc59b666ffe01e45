/**
 * A reader that believes nothing: it checks every message against what is true of the log, and folds what it is told.
 *
 * Each event must follow the last one on the same history (so none is missing, none comes twice, none is of another history);
 * within a skipped stretch they only ascend, and at its end the state must be the true one.
 */

import { evolve } from "../../src/model/evolve.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json.ts";
import type { Task } from "../../src/model/task.ts";
import { upgradeFromJson, type UpgradeJson, type UpgradeProgress } from "../../src/model/upgrade.ts";
import type { Facts } from "./kept-log.ts";

interface Message {
  readonly type: string;
  readonly seq?: number;
  readonly cursor?: string;
  readonly recovered?: boolean;
  readonly part?: number;
  readonly parts?: number;
  readonly upgrade?: UpgradeJson;
  readonly tasks?: readonly Task[];
  readonly from?: string;
  readonly to?: string;
  readonly code?: string;
}

/** A snapshot of which `part` of `parts` have come. */
interface Assembly {
  readonly cursor: string;
  readonly upgrade: UpgradeJson;
  readonly tasks: readonly Task[];
  readonly part: number;
  readonly parts: number;
}

const known = new WeakMap<UpgradeProgress, string>();

function canonical(state: UpgradeProgress): string {
  const text = known.get(state) ?? canonicalJson(state);
  known.set(state, text);
  return text;
}

export class Ledger {
  readonly #facts: Pick<Facts, "get">;
  #asked: string | undefined;
  #assembly: Assembly | undefined;
  #skippingTo: string | undefined;
  #state: UpgradeProgress | undefined;
  /** What a reader would come back with. */
  cursor: string | undefined;
  readonly counts = { events: 0, snapshots: 0, recoveries: 0, skipped: 0, subscribed: 0 };

  /** @param asked - the cursor that was asked for. */
  constructor(facts: Pick<Facts, "get">, asked?: string) {
    this.#facts = facts;
    this.#asked = asked;
  }

  get state(): UpgradeProgress | undefined {
    return this.#state;
  }

  /** The connection is gone and was made again, with this cursor. */
  again(): string | undefined {
    this.#assembly = undefined;
    this.#skippingTo = undefined;
    this.#asked = this.cursor;
    if (this.cursor !== undefined) this.#state = this.#truth(this.cursor).state;
    return this.cursor;
  }

  /** True if it stands at this cursor, and not within a stretch. */
  isAt(cursor: string): boolean {
    return this.cursor === cursor && this.#skippingTo === undefined && this.#assembly === undefined;
  }

  take(text: string): void {
    const message = JSON.parse(text) as Message;
    if (message.seq !== undefined) this.#event(message as ProgressEvent, text);
    else if (message.type === "snapshot") this.#snapshot(message);
    else if (message.type === "subscribed") this.#subscribed(message);
    else if (message.type === "skipped") this.#skipped(message);
    else if (message.type !== "welcome") throw new Error(`what is ${text.slice(0, 200)}?`);
  }

  #event(event: ProgressEvent, text: string): void {
    this.counts.events += 1;
    if (this.cursor === undefined || this.#assembly !== undefined) throw new Error(`an event before all else: ${text}`);
    const truth = this.#truth(event.cursor);
    if (truth.text !== text) throw new Error(`changed on its way: ${text}, not ${truth.text}`);
    const state = this.#state as UpgradeProgress;
    if (this.#skippingTo === undefined && truth.before !== this.cursor)
      throw new Error(`after ${this.cursor} came ${event.cursor}, which follows ${truth.before}`);
    if (event.seq <= state.seq) throw new Error(`${event.cursor} comes after seq ${state.seq}`);
    this.#state = evolve(state, event);
    if (this.#skippingTo === undefined) this.cursor = event.cursor;
    else if (this.#skippingTo === event.cursor) {
      this.#skippingTo = undefined;
      this.cursor = event.cursor;
      this.check();
    }
  }

  #snapshot({ cursor = "", part = 1, parts = 1, upgrade, tasks = [] }: Message): void {
    this.counts.snapshots += 1;
    const last = part === 1 ? undefined : this.#assembly;
    if (part > 1 && (last?.cursor !== cursor || last.part !== part - 1 || last.parts !== parts))
      throw new Error(`part ${part} of ${parts} of ${cursor} follows no part ${part - 1}`);
    const head = upgrade ?? last?.upgrade;
    if (head === undefined) throw new Error(`part ${part} of ${cursor} has no upgrade`);
    const all = [...(last?.tasks ?? []), ...(part === 1 ? head.tasks : tasks)];
    this.#assembly = { cursor, upgrade: head, tasks: all, part, parts };
  }

  #subscribed({ cursor = "", recovered }: Message): void {
    this.counts.subscribed += 1;
    if (recovered === true) {
      this.counts.recoveries += 1;
      if (this.#asked !== cursor) throw new Error(`recovered at ${cursor}, but asked for ${this.#asked}`);
      this.cursor = cursor;
      this.#state ??= this.#truth(cursor).state;
    } else {
      const { part, parts, upgrade, tasks, cursor: at } = this.#assembly ?? {};
      if (upgrade === undefined || tasks === undefined || part !== parts || at !== cursor)
        throw new Error(`subscribed at ${cursor}, with part ${part} of ${parts} of the snapshot at ${at}`);
      this.#state = upgradeFromJson({ ...upgrade, tasks });
      this.cursor = cursor;
    }
    this.#assembly = undefined;
    this.#skippingTo = undefined;
    this.#asked = undefined;
    this.check();
  }

  #skipped({ from, to }: Message): void {
    this.counts.skipped += 1;
    if (from !== this.cursor || this.#skippingTo !== undefined || to === undefined)
      throw new Error(`skips from ${from}, but stands at ${this.cursor}`);
    this.#skippingTo = to;
  }

  /** Its state is the true one at its place. */
  check(): void {
    if (this.cursor === undefined || this.#skippingTo !== undefined) throw new Error("it stands nowhere");
    const [found, expected] = [this.#state as UpgradeProgress, this.#truth(this.cursor).state].map(canonical);
    if (found !== expected) throw new Error(`at ${this.cursor} the state is ${found}, not ${expected}`);
  }

  #truth(cursor: string): NonNullable<ReturnType<Facts["get"]>> {
    const fact = this.#facts.get(cursor);
    if (fact === undefined) throw new Error(`there never was an event ${cursor}`);
    return fact;
  }
}
