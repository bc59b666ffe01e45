/** Checks of the upgrades in a storage: damage, who holds them, snapshots that fell behind. */

import { isMilepostError } from "../../errors.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import type { LogHolder, LogRef, Storage } from "../../storage/storage.ts";
import { readLines, readUpgrade } from "../../tracker/read.ts";
import { durationText } from "../../view/text/duration.ts";
import { logTimeAt } from "../../view/upgrade/log-time.ts";
import { assessHealth } from "../../model/health.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";
import { systemErrorText } from "./system-error.ts";

/** Events behind its snapshot that make an upgrade slow to open. */
const FAR_BEHIND = 100_000;

/** Findings about every upgrade; those that are well are summed up in one. */
export async function checkUpgrades(storage: Storage, asOfMs: number): Promise<readonly Finding[]> {
  let logs: readonly LogRef[];
  try {
    logs = await storage.list();
  } catch (error) {
    return [
      problem(
        "upgrades",
        `${storage.location} cannot be read (${systemErrorText(error)})`,
        "name another storage, or mend this one",
      ),
    ];
  }
  const findings: Finding[] = [];
  let held = 0;
  for (const log of logs) {
    const found = await checkUpgrade(storage, log, asOfMs);
    if (found.holder !== undefined) held += 1;
    findings.push(...found.findings);
  }
  const ill = new Set(findings.filter(({ level }) => level !== "ok").map(({ check }) => check)).size;
  const text = `${logs.length} ${logs.length === 1 ? "log" : "logs"} in ${storage.location}, ${logs.length - ill} well, ${held} being written`;
  return [ok("upgrades", text), ...findings];
}

interface Checked {
  readonly holder: LogHolder | undefined;
  readonly findings: readonly Finding[];
}

async function checkUpgrade(storage: Storage, { ref, run }: LogRef, asOfMs: number): Promise<Checked> {
  const check = `upgrade ${ref}`;
  const findings: Finding[] = [];
  try {
    const { state, holder } = await readUpgrade(storage, ref);
    // A snapshot spares reading the whole log; the doctor reads it all the same, which finds damage that nobody met yet.
    for await (const _ of readLines(storage, ref));
    const behind = state.seq - (await snapshotSeq(storage, ref));
    if (holder !== undefined)
      findings.push(
        ok(check, `written by ${holder.program} (pid ${holder.pid} on ${holder.host}) since ${holder.since}`),
      );
    if (behind > FAR_BEHIND)
      findings.push(
        warning(
          check,
          `its snapshot is ${behind} events behind`,
          "open it once for writing, e.g. by its next event: a new snapshot is made",
        ),
      );
    if (run === undefined) findings.push(...abandoned(check, state, { holder, asOfMs }));
    return { holder, findings };
  } catch (error) {
    if (isMilepostError(error, "UNKNOWN_UPGRADE")) return { holder: undefined, findings: [] };
    const remedy = isMilepostError(error, "CORRUPT")
      ? `milepost verify ${ref} says what is damaged, milepost salvage ${ref} saves the rest`
      : "see the message";
    return {
      holder: undefined,
      findings: [problem(check, error instanceof Error ? error.message : String(error), remedy)],
    };
  }
}

async function snapshotSeq(storage: Storage, ref: string): Promise<number> {
  const reader = await storage.openReader(ref);
  if (reader === undefined) return 0;
  try {
    return (await reader.snapshot())?.seq ?? 0;
  } finally {
    reader.close();
  }
}

function abandoned(
  check: string,
  state: UpgradeProgress,
  { holder, asOfMs }: { readonly holder: LogHolder | undefined; readonly asOfMs: number },
): readonly Finding[] {
  if (isFinalUpgradeStatus(state.status)) return [];
  const { state: health, reasons } = assessHealth(
    state,
    { isWriterAlive: holder !== undefined },
    logTimeAt(state, asOfMs),
  );
  if (health !== "lost") return [];
  const silence = durationText(logTimeAt(state, asOfMs) - state.clock.lastMs);
  const text = `has not ended and nobody writes it: ${reasons.map(({ message }) => message).join("; ")} (last event ${silence} ago)`;
  return [warning(check, text, "run the program again, it goes on where it stopped; or milepost upgrade cancel")];
}
