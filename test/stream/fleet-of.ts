/** A fleet over a storage, as a server has it, with what its test needs to see of it. */

import { onTestFinished } from "vitest";

import { storageUpgrades } from "../../src/server/storage-upgrades.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { Fleet, type FleetFilter } from "../../src/stream/fleet.ts";
import { Hub } from "../../src/stream/hub.ts";
import type { Upgrades } from "../../src/stream/upgrades.ts";
import type { Clock } from "../../src/tracker/clock.ts";
import type { UpgradeSummary } from "../../src/view/upgrade/summary.ts";

export interface FleetOf {
  readonly fleet: Fleet;
  readonly hub: Hub;
  /** Refs in the order in which their readers were opened, those of the hub included. */
  readonly opened: string[];
  /** How many readers are open now. */
  readonly openReaders: () => number;
  readonly warnings: string[];
  /** Says that anything may have changed. */
  readonly anyChanged: () => void;
}

export function fleetOf(
  storage: Storage,
  { clock, beforeRead }: { clock?: Clock; beforeRead?: (ref: string) => unknown } = {},
): FleetOf {
  const opened: string[] = [];
  const warnings: string[] = [];
  const listeners = new Set<() => void>();
  let open = 0;
  const given = storageUpgrades(storage);
  const upgrades: Upgrades = {
    ...given,
    watch: (onChange) => {
      const stop = given.watch(onChange);
      const any = (): void => onChange();
      listeners.add(any);
      return () => (stop(), listeners.delete(any));
    },
    log: (ref) => {
      const source = given.log(ref);
      return {
        ...source,
        openReader: async () => {
          opened.push(ref);
          const reader = await source.openReader();
          if (reader === undefined) return undefined;
          open += 1;
          let isClosed = false;
          // Around it, not in it: a reader may close and open its files as it goes.
          return {
            get header() {
              return reader.header;
            },
            read: (maxBytes) => reader.read(maxBytes),
            seek: (seq) => reader.seek(seq),
            snapshot: async () => (await beforeRead?.(ref), reader.snapshot()),
            close: () => {
              if (!isClosed) open -= 1;
              isClosed = true;
              reader.close();
            },
          };
        },
      };
    },
  };
  const logger = { info: () => undefined, warn: (line: string) => void warnings.push(line), error: () => undefined };
  const time = clock === undefined ? {} : { clock };
  const hub = new Hub({ upgrades, ...time });
  const fleet = new Fleet({ upgrades, hub, logger, ...time });
  onTestFinished(async () => {
    fleet.close();
    await hub.close();
    await given.close();
  });
  const anyChanged = (): void => {
    for (const listener of listeners) listener();
  };
  return { fleet, hub, opened, openReaders: () => open, warnings, anyChanged };
}

export interface Told {
  readonly all: UpgradeSummary[];
  /** The first summary of this kind that is told from now on. */
  readonly next: (isIt: (summary: UpgradeSummary) => boolean) => Promise<UpgradeSummary>;
  readonly stop: () => void;
}

/** What a fleet tells. */
export function toldBy(fleet: Fleet, filter: FleetFilter = {}): Told {
  const all: UpgradeSummary[] = [];
  const waiting: (() => void)[] = [];
  const stop = fleet.watch(filter, (summary) => {
    all.push(summary);
    for (const wake of waiting.splice(0)) wake();
  });
  const next = async (isIt: (summary: UpgradeSummary) => boolean): Promise<UpgradeSummary> => {
    for (let at = all.length; ; at++) {
      while (at === all.length) await new Promise<void>((resolve) => waiting.push(resolve));
      const summary = all[at] as UpgradeSummary;
      if (isIt(summary)) return summary;
    }
  };
  return { all, next, stop };
}
