/**
 * What `milepost run` adds to the log of a build: a section round the command's output, and how it ended. It goes to standard error:
 * standard output is the command's own, and may be read by another.
 */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { Ending } from "../../sources/progress-reporter.ts";
import { durationText } from "../../view/text/duration.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Cli } from "../context.ts";
import { addStepSummary } from "./step-summary.ts";
import { buildLog, type CiSystem } from "./system.ts";

export interface RunLog {
  /** The environment for the command: what Milepost writes inside it belongs to this section, and begins none of its own. */
  within<Env extends object>(env: Env): Env;
  begin(): void;
  /** `state` is what was recorded of it, where anything was. */
  end(ending: Ending, durationMs: number, state: UpgradeProgress | undefined): void;
}

const SILENT: RunLog = { within: (env) => env, begin: () => undefined, end: () => undefined };

/** @param name - what the command is called. */
export function runLog(cli: Cli, system: CiSystem, name: string): RunLog {
  if (system === "none") return SILENT;
  const log = buildLog(system, () => cli.clock.now());
  const title = safeText(name);
  const write = (lines: readonly string[]): void => void cli.stderr.write(lines.map((line) => `${line}\n`).join(""));
  return {
    within: (env) => ({ ...env, MILEPOST_CI: "none" }),
    begin: () => write(log.sectionStart(title)),
    end({ how, error }, durationMs, state) {
      const after = `in ${durationText(durationMs)}`;
      const text =
        how === "completed" ? `${title}: completed ${after}` : `${title}: ${how} (${safeText(error)}) ${after}`;
      write(log.sectionEnd());
      write([how === "failed" ? log.annotation("error", "milepost run", text) : log.line(text)]);
      if (system === "github" && state !== undefined) addStepSummary(cli, state, cli.clock.now());
    },
  };
}
