/** Which upgrade is meant when none is named. */

import { MilepostError, shown } from "../errors.ts";
import { isFinalUpgradeStatus } from "../model/vocabulary.ts";
import type { LogHolder } from "../storage/storage.ts";
import type { Source, Standing } from "./source/port.ts";

/**
 * The upgrades that may be meant when none is named: those that have not ended, else the newest alone.
 *
 * @throws UNKNOWN_UPGRADE when there is none.
 */
export async function candidates(source: Source): Promise<readonly string[]> {
  const found = (await source.list()).filter((upgrade) => "summary" in upgrade);
  const open = found.filter(({ summary }) => !isFinalUpgradeStatus(summary.status));
  const meant = open.length > 0 ? open : found.slice(0, 1);
  if (meant.length > 0) return meant.map(({ ref }) => ref);
  throw new MilepostError(
    "UNKNOWN_UPGRADE",
    `${source.location} holds no upgrade yet; \`milepost run -- <command>\` tracks one, \`milepost demo\` rehearses one`,
  );
}

/**
 * The upgrade that is meant when none is named: the only one that has not ended, else the newest.
 *
 * @throws UNKNOWN_UPGRADE when there is none; INVALID_ARGUMENT when several have not ended.
 */
export async function meantUpgrade(source: Source): Promise<string> {
  const [meant, ...others] = await candidates(source);
  if (others.length === 0) return meant as string;
  const open = [meant, ...others];
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `${open.length} upgrades have not ended; name one of them: ${open.slice(0, 5).map(shown).join(", ")}${open.length > 5 ? " ..." : ""}`,
  );
}

/** Who writes it, for programs: null for nobody, absent where it is not known. */
export function holderFact(holder: Standing["holder"]): { readonly holder?: LogHolder | null } {
  return holder === null ? {} : { holder: holder ?? null };
}
