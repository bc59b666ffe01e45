/** `milepost replay`: plays a recorded upgrade again, with the times between its events. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { MilepostError, shown } from "../../errors.ts";
import type { ProgressEvent } from "../../model/event.ts";
import { evolve } from "../../model/evolve.ts";
import { emptyUpgrade, type UpgradeProgress } from "../../model/upgrade.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Cli } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { speedOption } from "../option-values.ts";
import { presenter } from "../presenter.ts";
import { eventsOf, sourceOf, withSourceOptions, type SourceOptions } from "../source.ts";
import { leaveOn, leftExit, type Leave } from "../terminal.ts";

interface Options extends SourceOptions {
  readonly speed: number;
  readonly plain?: boolean;
}

export function addReplay(program: Command, cli: Cli): void {
  withSourceOptions(program.command("replay"))
    .description("play a recorded upgrade again, with the times between its events")
    .argument("<id>", "the upgrade, or <id>@<n> for a finished run")
    .option("--speed <times>", "how many times as fast as it was, or max", speedOption, 10)
    .option("--plain", "print lines instead of drawing a tree, also on a terminal")
    .action((id: string, _options, command: Command) => replay(cli, id, command));
}

async function replay(cli: Cli, id: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const source = sourceOf(cli, command);
  const leave = leaveOn(cli);
  const past = new Past(cli, options.speed);
  const events = eventsOf(source, id, { signal: leave.signal });
  try {
    if (options.json === true) await printEvents(cli, events, { past, leave });
    else await presentEvents(cli, events, { past, leave, id, options });
    cli.exitCode = leftExit(leave);
  } finally {
    leave.close();
  }
}

interface Replaying {
  readonly past: Past;
  readonly leave: Leave;
}

async function printEvents(cli: Cli, events: AsyncIterable<ProgressEvent>, { past, leave }: Replaying): Promise<void> {
  for await (const event of events) {
    if (!(await past.goTo(event, leave.signal))) return;
    sayJson(cli, event);
  }
}

async function presentEvents(
  cli: Cli,
  events: AsyncGenerator<ProgressEvent, undefined>,
  { past, leave, id, options }: Replaying & { readonly id: string; readonly options: Options },
): Promise<void> {
  // What cannot be read is found before anything is shown.
  const first = (await events.next()).value;
  if (first === undefined) {
    if (leave.reason !== undefined) return;
    throw new MilepostError("UNKNOWN_UPGRADE", `upgrade ${shown(id)} has no events yet; there is nothing to play`);
  }
  const { speed } = options;
  const pace = Number.isFinite(speed) ? `at ${speed}x` : "as fast as it goes";
  const view = presenter(cli, {
    common: options,
    leave,
    now: () => past.now(),
    isPlain: options.plain,
    hint: "q leaves",
    banner: `REPLAY ${pace} of ${safeText(id)}: what is shown has been`,
  });
  const play = async (event: ProgressEvent) => {
    if (!(await past.goTo(event, leave.signal))) return false;
    view.show({ state: past.state, event });
    return true;
  };
  try {
    if (await play(first)) for await (const event of events) if (!(await play(event))) break;
    view.end();
  } finally {
    view.close();
    await events.return(undefined);
  }
}

/** The time of the record: it stands at an event, and runs from there at the speed of the replay towards the next one. */
class Past {
  state: UpgradeProgress = emptyUpgrade({ upgradeId: "", planId: "", clusterName: "" });
  readonly #cli: Cli;
  readonly #speed: number;
  #reachedMs: number;

  constructor(cli: Cli, speed: number) {
    this.#cli = cli;
    this.#speed = speed;
    this.#reachedMs = cli.clock.monotonic();
  }

  /** The wall time of the record, epoch ms. */
  now(): number {
    const { lastTime } = this.state.clock;
    const sinceMs = Number.isFinite(this.#speed) ? (this.#cli.clock.monotonic() - this.#reachedMs) * this.#speed : 0;
    return lastTime === null ? this.#cli.clock.now() : Date.parse(lastTime) + sinceMs;
  }

  /** Goes to an event, in its time. False when it was left on the way. */
  async goTo(event: ProgressEvent, signal: AbortSignal): Promise<boolean> {
    const from =
      this.state.seq === 0 ? emptyUpgrade({ upgradeId: event.upgradeId, planId: "", clusterName: "" }) : this.state;
    const next = evolve(from, event);
    const dueMs = this.#reachedMs + (from.seq === 0 ? 0 : (next.clock.lastMs - from.clock.lastMs) / this.#speed);
    const leftMs = dueMs - this.#cli.clock.monotonic();
    if (leftMs > 0) await sleep(leftMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return false;
    this.#reachedMs = Number.isFinite(this.#speed) ? dueMs : this.#cli.clock.monotonic();
    this.state = next;
    return true;
  }
}
