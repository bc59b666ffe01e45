/** Follows one upgrade to its end. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus, type ProgressStatus } from "../../model/vocabulary.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { storedText } from "../json-text.ts";
import type { CiSystem } from "../ci/system.ts";
import { presenter } from "../presenter.ts";
import type { Presenter } from "../presenter/presenting.ts";
import type { Source } from "../source/port.ts";
import type { Leave } from "../terminal.ts";

/** What is watched, how it is shown, and what ends it. */
export interface Watching {
  readonly source: Source;
  readonly leave: Leave;
  readonly common: CommonOptions;
  readonly isPlain: boolean | undefined;
  readonly signOfLifeMs: number | undefined;
  readonly ci: CiSystem;
}

/** How often to look whether somebody writes. */
const HOLDER_MS = 2000;

/** Shows every change of an upgrade; the status with which it ended, undefined when `signal` came first. */
export async function follow(
  source: Source,
  ref: string,
  { shown, signal }: { readonly shown: Pick<Presenter, "show" | "setWriter">; readonly signal: AbortSignal },
): Promise<ProgressStatus | undefined> {
  let state: UpgradeProgress | undefined;
  const look = async (): Promise<void> => {
    if (state !== undefined) shown.setWriter(await source.hasWriter(state));
  };
  const looking = setInterval(() => void look().catch(() => undefined), HOLDER_MS);
  try {
    for await (const change of source.watch(ref, { signal })) {
      const isNew = change.state !== undefined && change.event === undefined && change.state !== state;
      state = change.state ?? state;
      if (isNew) await look();
      shown.show(change);
      if (change.state !== undefined && isFinalUpgradeStatus(change.state.status)) return change.state.status;
    }
    return undefined;
  } finally {
    clearInterval(looking);
  }
}

/** Shows an upgrade until it ends: its status then, undefined when it was left first. */
export async function present(cli: Cli, watching: Watching, ref: string): Promise<ProgressStatus | undefined> {
  const { source, leave, common, isPlain, signOfLifeMs, ci } = watching;
  const hint = "q leaves, the upgrade goes on";
  const shown = presenter(cli, { common, leave, now: () => source.now(), isPlain, signOfLifeMs, ci, hint });
  try {
    const status = await follow(source, ref, { shown, signal: leave.signal });
    shown.end();
    return status;
  } finally {
    shown.close();
  }
}

/** Prints the stored bytes of the events, from the beginning or a cursor on, until the upgrade ends. */
export async function printEvents(
  cli: Cli,
  { source, leave }: Watching,
  { ref, after }: { readonly ref: string; readonly after: string | undefined },
): Promise<ProgressStatus | undefined> {
  for await (const bytes of source.lines(ref, { follow: true, after, signal: leave.signal })) {
    cli.stdout.write(storedText(cli.stdout, bytes));
    for (const line of splitLines(bytes)) {
      const event = parseLine(line);
      if (event.type.startsWith("upgrade.") && "status" in event && isFinalUpgradeStatus(event.status))
        return event.status;
    }
  }
  return undefined;
}
