/** The state of an upgrade, folded from its log for all its deliveries together, and only while something is to be told. */

import { isMilepostError } from "../../errors.ts";
import { evolve } from "../../model/evolve.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { parseLine, splitLines } from "../../storage/line.ts";
import { foldInTurns, nextTurn } from "../../stream/fold-in-turns.ts";
import { openRun, type Logs, type OpenRun } from "./place.ts";

export interface States {
  /** The newest state of a run with all that is stored; undefined when its log is not there. @throws CORRUPT. */
  newest(run: number): Promise<UpgradeProgress | undefined>;
  close(): void;
}

interface Folded extends OpenRun {
  state: UpgradeProgress;
}

/** Folds what is stored. Asked by several at once, it reads once. */
export function foldedStates(logs: Logs, upgradeId: string): States {
  let folded: Folded | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const close = (): void => {
    folded?.reader.close();
    folded = undefined;
  };
  const read = async (run: number): Promise<UpgradeProgress | undefined> => {
    if (folded?.run !== run) {
      close();
      const open = await openRun(logs, upgradeId, run);
      if (open === undefined) return undefined;
      folded = { ...open, state: await foldInTurns(open.reader) };
    }
    for (let batch = await folded.reader.read(); batch !== undefined; batch = await folded.reader.read()) {
      for (const line of splitLines(batch.bytes)) folded.state = evolve(folded.state, parseLine(line));
      await nextTurn();
    }
    return folded.state;
  };
  const readAnew = async (run: number): Promise<UpgradeProgress | undefined> => {
    try {
      return await read(run);
    } catch (error) {
      close();
      if (!isMilepostError(error, "CURSOR_GONE")) throw error;
      return read(run);
    }
  };
  return {
    newest: (run) => {
      const result = last.then(() => readAnew(run));
      last = result.catch(() => undefined);
      return result;
    },
    close,
  };
}
