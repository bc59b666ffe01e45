/** Two upgrades to be compared, read from the server; one that still runs is read again and again. */

import { signal, type ReadonlySignal } from "@preact/signals";

import { upgradeFromJson, type UpgradeJson, type UpgradeProgress } from "../../../src/model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../../src/model/vocabulary.ts";
import { fetchApi } from "../access.ts";
import { earlierIds } from "../usual-store.ts";

/** One side. `failed` says why it cannot be read. */
export type Side =
  | { readonly kind: "none" | "reading" }
  | { readonly kind: "read"; readonly state: UpgradeProgress }
  | { readonly kind: "failed"; readonly reason: string };

export interface CompareStore {
  readonly later: ReadonlySignal<Side>;
  readonly earlier: ReadonlySignal<Side>;
  /** Upgrades that `later` may be compared with; undefined until they are known. */
  readonly choices: ReadonlySignal<readonly string[] | undefined>;
  readonly close: () => void;
}

const AGAIN_MS = 3_000;

/** Reads both. Without `earlierId` the newest earlier upgrade of the cluster is taken. */
export function createCompareStore(laterId: string, earlierId: string | undefined): CompareStore {
  const later = signal<Side>({ kind: "reading" });
  const earlier = signal<Side>({ kind: earlierId === undefined ? "none" : "reading" });
  const choices = signal<readonly string[] | undefined>(undefined);
  const leaving = new AbortController();
  const follow = (id: string, side: typeof later): Promise<UpgradeProgress | undefined> =>
    followUpgrade(id, side, leaving.signal);
  void follow(laterId, later).then(async (state) => {
    if (state === undefined || leaving.signal.aborted) return;
    const found = await earlierIds(state).catch(() => []);
    choices.value = found;
    if (earlierId === undefined && found[0] !== undefined && !leaving.signal.aborted) await follow(found[0], earlier);
  });
  if (earlierId !== undefined) void follow(earlierId, earlier);
  return { later, earlier, choices, close: () => leaving.abort() };
}

/** Resolves with the first state read, and goes on while the upgrade runs. Never rejects. */
async function followUpgrade(
  id: string,
  side: { value: Side; peek(): Side },
  leaving: AbortSignal,
): Promise<UpgradeProgress | undefined> {
  const read = await readState(id, leaving);
  if (leaving.aborted) return undefined;
  // What was read before stands while the server is away.
  if (read.kind === "read" || side.peek().kind !== "read") side.value = read;
  const known = side.peek();
  const isOver = known.kind === "read" && isFinalUpgradeStatus(known.state.status);
  if (!isOver) {
    const timer = setTimeout(() => void followUpgrade(id, side, leaving), AGAIN_MS);
    leaving.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }
  return known.kind === "read" ? known.state : undefined;
}

async function readState(id: string, signal: AbortSignal): Promise<Side> {
  try {
    const answer = await fetchApi(`/api/v1/upgrades/${encodeURIComponent(id)}`, { signal });
    if (answer.ok) return { kind: "read", state: upgradeFromJson((await answer.json()) as UpgradeJson) };
    const reasons: Readonly<Record<number, string>> = {
      401: "it needs a token",
      403: "you may not see it",
      404: "there is no such upgrade",
    };
    return { kind: "failed", reason: reasons[answer.status] ?? `the server answered ${answer.status}` };
  } catch {
    return { kind: "failed", reason: "the server could not be reached; it is tried again" };
  }
}
