import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

import { isMilepostError } from "../../src/errors.ts";
import { isLong } from "./child.ts";
import { check_G2, check_G5, check_G9 } from "./checks.ts";
import { FAULT_NAMES, FAULTY_CALLS, FaultFs, type Fault, type FaultyCall } from "./fault-fs.ts";
import { quickFolder } from "./quick-folder.ts";
import { runWithTrouble, type TroubleRun } from "./trouble-run.ts";

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
process.on("unhandledRejection", note);
afterAll(() => process.off("unhandledRejection", note));

/** Folders below one, so that a thousand runs need one clean-up. */
function folders(): () => string {
  const root = quickFolder();
  let next = 0;
  return () => {
    const path = join(root, String(next++));
    mkdirSync(path);
    return path;
  };
}

/** What must hold of every run, whatever failed. */
function violations(run: TroubleRun): string[] {
  return [
    ...(run.opening === undefined || isMilepostError(run.opening)
      ? []
      : [`opening threw ${(run.opening as Error).message}, which has no code`]),
    ...check_G5({ ...run, unhandled }),
    ...check_G2(run.stored),
    ...check_G9(run.live, run.stored),
  ];
}

/** How often a run without a fault makes each call. */
async function countCalls(path: string): Promise<Record<FaultyCall, number>> {
  const faults = new FaultFs();
  const run = await runWithTrouble(path, faults, undefined);
  expect(violations(run)).toEqual([]);
  return run.calls;
}

describe("trouble with the disk", () => {
  it("[L12] throws into no command and reorders nothing, whichever call fails, with whatever error, once or for ever (D10)", async () => {
    const folder = folders();
    const counts = await countCalls(folder());
    const found: string[] = [];
    let runs = 0;
    let hits = 0;
    for (const call of FAULTY_CALLS) {
      for (let nth = 1; nth <= counts[call]; nth++) {
        for (const error of FAULT_NAMES) {
          // A sample of every other one in the test command: each call, each place, each error.
          for (const isForEver of isLong ? [false, true] : [(nth + FAULT_NAMES.indexOf(error)) % 2 === 0]) {
            const fault: Fault = { call, nth, error, isForEver };
            const faults = new FaultFs();
            const run = await runWithTrouble(folder(), faults, fault);
            runs += 1;
            if (faults.hits > 0) hits += 1;
            for (const violation of violations(run)) found.push(`${JSON.stringify(fault)}: ${violation}`);
            if (found.length > 20) break;
          }
        }
      }
    }
    expect(found).toEqual([]);
    console.log(`D10: ${runs} runs, ${hits} with a fault hit, calls ${JSON.stringify(counts)}`);
    expect(runs).toBeGreaterThanOrEqual(isLong ? 2_000 : 1_000);
    expect(hits).toBe(runs);
  }, 120_000);
});
