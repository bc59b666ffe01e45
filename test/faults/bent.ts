/** Storages that are wrong on purpose, to see that the validators notice. */

import type { LogWriter, Storage } from "../../src/storage/storage.ts";
import { memory } from "../../src/storage/memory.ts";

/** How a bent storage takes an append: `write` puts whole lines into the log, wherever they belong. */
export type BentAppend = (write: (lines: Uint8Array) => void, lines: Uint8Array, appended: number) => void;

function newlines(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x0a) count += 1;
  return count;
}

/** A storage in memory whose appends go through `append`, with no look at what follows what. */
export function bentMemory(append: BentAppend): Storage {
  const inner = memory();
  return {
    ...inner,
    openWriter: (upgradeId, options) => {
      const writer = inner.openWriter(upgradeId, options) as LogWriter;
      let length = 0;
      let appended = 0;
      const write = (lines: Uint8Array): void => {
        void writer.append(length, lines, length + newlines(lines));
        length += newlines(lines);
      };
      return withAppend(writer, (_expectedSeq, lines) => append(write, lines, ++appended));
    },
  };
}

/** The writer with another `append`. */
export function withAppend(writer: LogWriter, append: LogWriter["append"]): LogWriter {
  return {
    get header() {
      return writer.header;
    },
    get reader() {
      return writer.reader;
    },
    ...(writer.localFolder === undefined ? {} : { localFolder: writer.localFolder }),
    begin: () => writer.begin(),
    append,
    sync: () => writer.sync(),
    saveSnapshot: (at, parts) => writer.saveSnapshot(at, parts),
    beginNextRun: () => writer.beginNextRun(),
    announce: (holder) => writer.announce(holder),
    close: () => writer.close(),
  };
}
