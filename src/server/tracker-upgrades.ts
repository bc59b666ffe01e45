/** A tracker in this process as what a server serves: its one upgrade, told also while the storage takes no writes. */

import { MilepostError, shown } from "../errors.ts";

import { parseCursor } from "../model/cursor.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { LineBatch, LogReader, StoredSnapshot } from "../storage/storage.ts";
import type { LogSource, Upgrades } from "../stream/upgrades.ts";
import type { EventSource } from "../tracker/events.ts";
import { stateParts } from "../tracker/restore-state.ts";

export function trackerUpgrades(source: EventSource): Upgrades {
  const { storage, upgradeId, tracker } = source;
  const own: LogSource = {
    ref: upgradeId,
    openReader: async () => (await storage.openReader(upgradeId)) ?? new ReaderToCome(source),
    waitingLines: (seq) => tracker.log.queuedLines(seq),
    watch: (onChange) => {
      // The tracker at once; the storage too, since another process may have taken the log over.
      const stops = [tracker.onEvent(onChange), storage.watch(upgradeId, onChange)];
      return () => stops.forEach((stop) => stop());
    },
    holder: async () => storage.holder(upgradeId),
  };
  return {
    only: upgradeId,
    list: () => Promise.resolve([{ ref: upgradeId, upgradeId }]),
    log: (ref) => (ref === upgradeId ? own : nothing(ref)),
    watch: (onChange) => tracker.onEvent(() => onChange(upgradeId)),
    execute: async (id, commands) => {
      if (id !== upgradeId)
        throw new MilepostError(
          "UNKNOWN_UPGRADE",
          `this server has the upgrade ${shown(upgradeId)} only, not ${shown(id)}`,
        );
      const events: ProgressEvent[] = commands.map((command) => tracker.execute(command));
      await tracker.log.flush();
      return events;
    },
    delete: async (id) => {
      throw new MilepostError(
        "LOCKED",
        `this process writes the upgrade ${shown(id)}; it can be deleted when it has ended`,
      );
    },
  };
}

function nothing(ref: string): LogSource {
  return {
    ref,
    openReader: () => Promise.resolve(undefined),
    waitingLines: () => [],
    watch: () => () => undefined,
    holder: () => Promise.resolve(undefined),
  };
}

/** Stands at the beginning of a log whose first event is still to be stored. */
class ReaderToCome implements LogReader {
  readonly #source: EventSource;
  #reader: LogReader | undefined;

  constructor(source: EventSource) {
    this.#source = source;
  }

  get header(): LogReader["header"] {
    if (this.#reader !== undefined) return this.#reader.header;
    const { cursor, upgradeId, run } = this.#source.tracker.state;
    return { logId: parseCursor(cursor).logId, upgradeId, run };
  }

  async read(maxBytes?: number): Promise<LineBatch | undefined> {
    const { storage, upgradeId } = this.#source;
    this.#reader ??= await storage.openReader(upgradeId);
    return this.#reader?.read(maxBytes);
  }

  async seek(seq: number): Promise<boolean> {
    return (await this.#reader?.seek(seq)) ?? seq === 0;
  }

  /** The state of nothing yet, which knows its plan and cluster. */
  snapshot(): StoredSnapshot | undefined {
    const { state } = this.#source.tracker;
    if (state.seq > 0) return undefined;
    return { seq: 0, cursor: state.cursor, text: [...stateParts(state)].join("") };
  }

  close(): void {
    this.#reader?.close();
  }
}
