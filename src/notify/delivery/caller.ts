/** Calls the notifier: when its circuit lets one through, and not at all once the other side wants nothing more. */

import { MilepostError } from "../../errors.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isoMaker } from "../../tracker/clock.ts";
import type { Notifier, NotifierMemory, Outcome, ToldEvent } from "../notifier.ts";
import type { Account } from "./account.ts";
import type { Circuit } from "./circuit.ts";
import type { DeliveryClock } from "./clock.ts";
import type { DeliveryRecord, StopRecord } from "./record.ts";
import type { States } from "./states.ts";
import { tell } from "./tell.ts";

export interface CallerOptions {
  readonly notifier: Notifier;
  readonly upgradeId: string;
  readonly states: States;
  readonly circuit: Circuit;
  readonly clock: DeliveryClock;
  readonly timeoutMs: number;
  readonly account: Pick<Account, "changed" | "keep">;
  /** The place up to which somebody has asked for a redrive. */
  readonly redriveUntil: () => number;
}

export interface Answer {
  readonly outcomes: readonly Outcome[];
  readonly isProbe: boolean;
}

/** Of so many runs, the newest, a notifier's text is kept. */
const MAX_RUNS = 3;
const MAX_TEXT = 4_096;

export class Caller {
  readonly #options: CallerOptions;
  readonly #iso = isoMaker();
  readonly #memory = new Map<number, string>();
  #stopped: StopRecord | undefined;

  constructor(options: CallerOptions, record: Pick<DeliveryRecord, "memory" | "stopped"> | undefined) {
    this.#options = options;
    this.#stopped = record?.stopped;
    for (const [run, text] of Object.entries(record?.memory ?? {})) this.#memory.set(Number(run), text);
  }

  /** What of it is stored. */
  get record(): Pick<DeliveryRecord, "memory" | "stopped"> {
    return {
      ...(this.#memory.size > 0 && { memory: Object.fromEntries(this.#memory) }),
      ...(this.isStopped && { stopped: this.#stopped as StopRecord }),
    };
  }

  /** Since then nothing is sent, until somebody asks for a redrive. */
  get isStopped(): boolean {
    return this.#stopped?.until === this.#options.redriveUntil();
  }

  /** Undefined when `signal` ended it. @throws UNKNOWN_UPGRADE, and what reading throws. */
  async call(run: number, events: readonly ToldEvent[], signal: AbortSignal): Promise<Answer | undefined> {
    const { circuit, notifier, clock, timeoutMs, states, upgradeId } = this.#options;
    if (this.isStopped) return { outcomes: events.map(() => this.#stopOutcome()), isProbe: false };
    const state = await states.newest(run);
    if (state === undefined) throw gone(upgradeId, run);
    const pass = await circuit.enter(signal);
    if (pass === undefined) return undefined;
    const { memory, end } = this.#memoryOf(run);
    const outcomes = await tell(notifier, batchOf(events, state), { clock, timeoutMs, signal, memory });
    end();
    const waitMs = outcomes && retryAfterOf(outcomes);
    if (outcomes === undefined) pass.abandoned();
    else if (waitMs === undefined && outcomes.some(({ status }) => status !== "retry")) pass.answered();
    else pass.failed((events[0] as ToldEvent).id, waitMs);
    this.#stopOn(outcomes ?? []);
    return outcomes && { outcomes, isProbe: pass.isProbe };
  }

  #stopOn(outcomes: readonly Outcome[]): void {
    const { clock, redriveUntil } = this.#options;
    const last = outcomes.find((outcome) => outcome.status === "refused" && outcome.endsAll === true);
    if (last?.status !== "refused") return;
    const { code, message } = last;
    this.#stopped = {
      at: this.#iso(clock.now()),
      code,
      message: message.slice(0, 300).toWellFormed(),
      until: redriveUntil(),
    };
  }

  #stopOutcome(): Outcome {
    const { at, message = "" } = this.#stopped as StopRecord;
    return {
      status: "refused",
      code: "STOPPED",
      message: `nothing is sent since ${at}: ${message}; a redrive sends again`,
    };
  }

  /** What a call may keep as long as it lasts. */
  #memoryOf(run: number): { readonly memory: NotifierMemory; readonly end: () => void } {
    const { account } = this.#options;
    let isOver = false;
    const keep = async (text: string): Promise<void> => {
      this.#memory.delete(run);
      this.#memory.set(run, text.slice(0, MAX_TEXT).toWellFormed());
      for (const old of [...this.#memory.keys()].sort((a, b) => b - a).slice(MAX_RUNS)) this.#memory.delete(old);
      account.changed();
      if (!isOver) await account.keep();
    };
    return { memory: { text: this.#memory.get(run), keep }, end: () => (isOver = true) };
  }
}

/** Frozen: outcomes are told by place, so nobody may sort or shorten it. */
const batchOf = (events: readonly ToldEvent[], state: UpgradeProgress) =>
  Object.freeze({ events: Object.freeze([...events]), state });

/** Told to wait, and not only with one of several events. */
function retryAfterOf(outcomes: readonly Outcome[]): number | undefined {
  const asked = outcomes.flatMap((outcome) => (outcome.status === "retry" ? (outcome.retryAfterMs ?? 0) : []));
  const times = asked.filter((ms) => ms > 0);
  return times.length > 1 || times.length === outcomes.length ? Math.max(...times) : undefined;
}

function gone(upgradeId: string, run: number): MilepostError {
  return new MilepostError("UNKNOWN_UPGRADE", `the log of run ${run} of ${upgradeId} is not there now`, {
    context: { upgradeId, run },
  });
}
