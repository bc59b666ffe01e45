/** What it costs to read 10,000 events from the disk as frames ready to be sent, every line checked, nothing parsed. */

import { jsonLines, ProgressTracker } from "milepost";

import { webSocketEncoding } from "../src/stream/encoding.ts";
import { History } from "../src/stream/history.ts";
import type { LogSource } from "../src/stream/upgrades.ts";
import { collectGarbage, inTurns, loop, ratio, row, spread, title, type Timed } from "./measure.ts";
import { temporaryFolder, update } from "./subjects.ts";

const EVENTS = 10_000;

export async function replay(): Promise<void> {
  title(`Replay of ${EVENTS} events`);
  const storage = jsonLines({ path: temporaryFolder() });
  const tracker = new ProgressTracker({ upgradeId: "bench", planId: "plan", clusterName: "cluster", storage });
  tracker.startUpgrade();
  for (let index = 0; index < 10; index++) tracker.addTask(`task-${index}`, `Drain node ${index}`);
  for (let index = tracker.progress.seq; index < EVENTS; index++) update(tracker, 10, index);
  await tracker.flush();
  const source: LogSource = {
    ref: "bench",
    openReader: async () => storage.openReader("bench"),
    waitingLines: () => [],
    watch: () => () => undefined,
    holder: () => Promise.resolve(undefined),
  };
  const logId = tracker.progress.cursor.split(".")[0] as string;
  const frames = (await fromDisk(source, logId)).flatMap(framesIn);
  const series = await inTurns(
    {
      memory: loop(() => void Buffer.concat(frames)),
      disk: timed(() => fromDisk(source, logId)),
      check: loop(() => {
        const reader = storage.openReader("bench");
        if (reader === undefined || reader instanceof Promise) throw new Error("the default storage answers at once");
        while (reader.read() !== undefined);
        reader.close();
      }),
    },
    // So many in a turn that each pays for the memory it takes: 10,000 events are 3.5 MB, which somebody has to collect.
    { rounds: 15, count: 30, before: collectGarbage },
  );
  row("ready frames in memory, put together, ms", spread(series.memory, 1e6));
  row("read, check and frame what is on the disk, ms", spread(series.disk, 1e6));
  row("of it: read and check, ms", spread(series.check, 1e6));
  row("memory / disk", spread(ratio(series.memory, series.disk)), "reach 0.3");
  await tracker.close();
}

async function fromDisk(source: LogSource, logId: string): Promise<readonly Buffer[]> {
  const history = new History(source, logId);
  const sent: Buffer[] = [];
  for (let seq = 1; seq <= EVENTS;) {
    const block = await history.block(seq);
    const last = Math.min(EVENTS, block.lastSeq);
    sent.push(block.encoded(webSocketEncoding, seq, last));
    seq = last + 1;
  }
  history.close();
  return sent;
}

function framesIn(bytes: Buffer): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 1] as number;
    const size = length < 126 ? 2 + length : 4 + bytes.readUInt16BE(at + 2);
    frames.push(bytes.subarray(at, at + size));
    at += size;
  }
  return frames;
}

function timed(work: () => Promise<unknown>): Timed {
  return async (count) => {
    const start = process.hrtime.bigint();
    for (let index = 0; index < count; index++) await work();
    return Number(process.hrtime.bigint() - start);
  };
}
