/** The phases of an upgrade: those passed and the present one, with how long each took. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { ProgressStatus } from "../../model/vocabulary.ts";
import { isRehearsal } from "./rehearsal.ts";
import { safeText } from "../text/safe-text.ts";

export interface PhaseView {
  /** Unique among those shown, and the same for the same stay at every moment. */
  readonly key: number;
  readonly name: string;
  /** `passed`; of the last stay `present` while the upgrade works, else how the upgrade stands or has ended. */
  readonly state: "passed" | "present" | Exclude<ProgressStatus, "in_progress" | "not_started" | "skipped">;
  readonly elapsedMs: number;
  /** True when the upgrade had left a phase of this name before. */
  readonly isAgain: boolean;
}

export interface PhasesView {
  readonly phases: readonly PhaseView[];
  /** How many stays before the first one shown are left out. */
  readonly earlier: number;
}

const MAX_SHOWN = 24;
const REHEARSED = /^Rehearsal: /;

/** The newest stays, oldest first, at a log time (ms). */
export function phasesView(state: UpgradeProgress, logMs: number): PhasesView {
  const { phases } = state;
  const earlier = Math.max(0, phases.length - MAX_SHOWN);
  const seen = new Set<string>();
  const views = phases.map(({ phase, startedMs, endedMs }, index): PhaseView => {
    const isAgain = seen.has(phase);
    seen.add(phase);
    // The rehearsal says of every phase what it is; a page has one label for it.
    const name = safeText(isRehearsal(state) ? phase.replace(REHEARSED, "") : phase);
    const isLast = index === phases.length - 1;
    const elapsedMs = Math.max(0, (endedMs ?? Math.max(logMs, startedMs)) - startedMs);
    return { key: startedMs * 1000 + index, name, state: isLast ? lastState(state) : "passed", elapsedMs, isAgain };
  });
  return { phases: views.slice(earlier), earlier };
}

function lastState({ status }: UpgradeProgress): PhaseView["state"] {
  return status === "in_progress" || status === "not_started" || status === "skipped" ? "present" : status;
}
