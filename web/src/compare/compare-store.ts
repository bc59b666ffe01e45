/** Two upgrades side by side, compared by the server; while one of them runs again and again. */

import { signal, type ReadonlySignal } from "@preact/signals";

import type { ComparedPair } from "../../../src/view/upgrade/compare.ts";
import type { ConnectionView } from "../../../src/view/text/connection-words.ts";
import { fetchApi, refusal, upgradePath } from "../access.ts";
import { createConnectionStore } from "../connection-store.ts";

/** `failed` says why they cannot be read; `isAway`: no server answers. */
type Compared =
  | { readonly kind: "reading" }
  | { readonly kind: "read"; readonly pair: ComparedPair }
  | { readonly kind: "failed"; readonly reason: string; readonly isAway?: true };

export interface CompareStore {
  readonly compared: ReadonlySignal<Compared>;
  readonly connection: ReadonlySignal<ConnectionView>;
  readonly close: () => void;
}

const AGAIN_MS = 3_000;

/** Without `earlierId` the newest earlier upgrade of the cluster is taken. */
export function createCompareStore(laterId: string, earlierId: string | undefined): CompareStore {
  const compared = signal<Compared>({ kind: "reading" });
  const connection = createConnectionStore();
  const leaving = new AbortController();
  const query = earlierId === undefined ? "" : `?with=${encodeURIComponent(earlierId)}`;
  const path = upgradePath(laterId, `comparison${query}`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const read = async (): Promise<void> => {
    const found = await readPair(path, leaving.signal);
    if (leaving.signal.aborted) return;
    const isAway = found.kind === "failed" && found.isAway;
    connection.take(
      isAway ? { status: "waiting", retryInMs: AGAIN_MS, attempt: 1, reason: found.reason } : { status: "live" },
    );
    // What was read before stands while the server is away.
    if (found.kind === "read" || compared.peek().kind !== "read") compared.value = found;
    const isOver = found.kind === "read" && found.pair.later.hasEnded && found.pair.earlier?.hasEnded !== false;
    if (!isOver) timer = setTimeout(() => void read(), AGAIN_MS);
  };
  void read();
  return {
    compared,
    connection: connection.view,
    close: () => {
      leaving.abort();
      clearTimeout(timer);
    },
  };
}

async function readPair(path: string, signal: AbortSignal): Promise<Compared> {
  try {
    const answer = await fetchApi(path, { signal });
    const read = (await answer.json()) as ComparedPair & { readonly detail?: string };
    if (answer.ok) return { kind: "read", pair: read };
    return { kind: "failed", reason: refusal(answer, read.detail) };
  } catch {
    return { kind: "failed", reason: "the server could not be reached; it is tried again", isAway: true };
  }
}
