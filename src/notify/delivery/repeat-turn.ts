/** Tells a repeat that is due (`repeats.ts`): reads its event again, asks whether it still holds, and tells it. */

import type { ProgressEvent } from "../../model/event.ts";
import { isoMaker } from "../../tracker/clock.ts";
import type { Caller } from "./caller.ts";
import type { DeliveryClock } from "./clock.ts";
import { openRun, type Logs } from "./place.ts";
import { eventFinder } from "./find-event.ts";
import { repeated, type DueRepeat, type Repeats } from "./repeats.ts";
import { MAX_DELAY_MS, retryDelayMs } from "./retry.ts";
import type { Router } from "./router.ts";
import { sentNote } from "./sent.ts";
import type { Settled } from "./settle.ts";
import type { States } from "./states.ts";

export interface RepeatTurnOptions {
  readonly repeats: Repeats;
  readonly caller: Caller;
  readonly router: Router;
  readonly logs: Logs;
  readonly upgradeId: string;
  readonly states: States;
  readonly clock: DeliveryClock;
  readonly random: () => number;
}

interface Turn {
  /** The run up to which the log was read. */
  readonly newestRun: number;
  /** True if events of this key wait: then the event itself may not have been told yet. */
  readonly isBehind: (run: number, key: string) => boolean;
  readonly signal: AbortSignal;
}

const NOTHING: Settled = { letters: [], notes: [] };

export class RepeatTurn {
  readonly #options: RepeatTurnOptions;
  readonly #iso = isoMaker();

  constructor(options: RepeatTurnOptions) {
    this.#options = options;
  }

  /** Takes one that is due. Undefined when none is, or `signal` ended it; else what is to be kept of it. */
  async take(turn: Turn): Promise<Settled | undefined> {
    const { repeats, clock } = this.#options;
    const due = repeats.due(clock.now(), clock.monotonic());
    if (due === undefined) return undefined;
    const event = await this.#holding(due, turn);
    if (event === undefined) repeats.remove(due.entry);
    else if (turn.isBehind(due.entry.run, due.entry.key)) repeats.settle(due);
    else return this.#tell(due, event, turn.signal);
    return NOTHING;
  }

  /** The event, if what it says still is so. */
  async #holding({ entry }: DueRepeat, { newestRun }: Turn): Promise<ProgressEvent | undefined> {
    const { repeats, router, states, clock } = this.#options;
    if (entry.run < newestRun || repeats.isOld(entry, clock.now())) return undefined;
    const state = await states.newest(entry.run);
    const event = await this.#read(entry);
    return event !== undefined && state !== undefined && router.holds(event, state) ? event : undefined;
  }

  async #read({ run, seq }: DueRepeat["entry"]): Promise<ProgressEvent | undefined> {
    const { logs, upgradeId } = this.#options;
    const open = await openRun(logs, upgradeId, run);
    try {
      return open && (await eventFinder(open.reader)(seq))?.event;
    } finally {
      open?.reader.close();
    }
  }

  async #tell(due: DueRepeat, event: ProgressEvent, signal: AbortSignal): Promise<Settled | undefined> {
    const { repeats, caller, router, states, clock, random } = this.#options;
    const { run } = due.entry;
    const again = repeated(event, due);
    // Quiet hours and digests hold for it as well: it is told next time, if it then still holds.
    const routing = router.route(again, await states.newest(run));
    if ("skip" in routing || (routing.holdUntilMs ?? 0) > clock.now()) {
      repeats.settle(due);
      return NOTHING;
    }
    const answer = await caller.call(run, [again], signal);
    const [outcome] = answer?.outcomes ?? [];
    if (outcome === undefined) return undefined;
    const attempt = repeats.failed(due);
    if (outcome.status === "retry") {
      const delayMs = retryDelayMs(attempt, random, outcome.retryAfterMs) ?? MAX_DELAY_MS;
      repeats.delay(due, clock.monotonic() + delayMs);
    } else repeats.settle(due);
    return { letters: [], notes: [sentNote(again, outcome, { run, at: this.#iso(clock.now()), attempt })] };
  }
}
