/** All upgrades that this reader may see, live. */

import { signal, type ReadonlySignal } from "@preact/signals";

import { isMilepostError } from "../../src/errors.ts";
import { watchFleet, type UpgradeSummary } from "../../src/stream/client.ts";
import type { ConnectionView } from "../../src/view/text/connection-words.ts";
import { connectOptions, fetchApi, SERVER } from "./access.ts";
import { createConnectionStore } from "./connection-store.ts";
import { frames } from "./frames.ts";

type Fleet = ReadonlyMap<string, UpgradeSummary>;

export interface FleetStore {
  /** By id; undefined until they are first known. Changes at most once per frame (less often when there are many). */
  readonly upgrades: ReadonlySignal<Fleet | undefined>;
  readonly connection: ReadonlySignal<ConnectionView>;
  /** Wall time (epoch ms) for which they are true: now; while the server is away, when it was last there. */
  readonly asOfMs: ReadonlySignal<number>;
  /** The one upgrade of a server that serves no other. */
  readonly only: ReadonlySignal<string | undefined>;
  readonly close: () => void;
}

/** Milliseconds between two changes of a list of this length. */
const pauseMs = ({ size }: Fleet): number => (size < 100 ? 0 : 250);

export function createFleetStore(): FleetStore {
  const upgrades = signal<Fleet | undefined>(undefined);
  const only = signal<string | undefined>(undefined);
  const connection = createConnectionStore();
  const leaving = new AbortController();
  const showLater = frames<Fleet>((fleet) => (upgrades.value = fleet), pauseMs);
  const follow = async (): Promise<void> => {
    for await (const item of watchFleet(SERVER, { ...connectOptions(), signal: leaving.signal })) {
      connection.take(item.connection);
      if (item.connection.status === "live") showLater.set(item.upgrades);
    }
  };
  follow().catch(async (error: unknown) => {
    if (!isMilepostError(error)) throw error;
    // A tracker's own port has no list: it serves this one upgrade.
    if (error.code === "NOT_FOUND") only.value = await onlyUpgrade();
  });
  return {
    upgrades,
    only,
    connection: connection.view,
    asOfMs: connection.asOfMs,
    close: () => {
      leaving.abort();
      showLater.cancel();
    },
  };
}

async function onlyUpgrade(): Promise<string | undefined> {
  const answer = await fetchApi("/api/v1/upgrades");
  if (!answer.ok) return undefined;
  const { upgrades } = (await answer.json()) as { readonly upgrades: readonly UpgradeSummary[] };
  return upgrades[0]?.upgradeId;
}
