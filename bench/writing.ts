/** What a command costs: against rewriting the state, against a bare write, by number of tasks and of events. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { jsonLines } from "milepost";

import { inTurns, loop, ratio, row, spread, title } from "./measure.ts";
import { bareWriter, firstImplementation, rewriter, temporaryFolder, trackerWith, update } from "./subjects.ts";

const ROUNDS = 9;

/** So many commands until the compiler has done its work. What they are compared with is compiled code from the start. */
const WARM_UP = 30_000;

/** Resolves with the nanoseconds that each command took. */
async function warmUp(): Promise<number> {
  const tracker = trackerWith(10);
  const spent = await loop((index) => update(tracker, 10, index))(WARM_UP);
  await tracker.close();
  return spent / WARM_UP;
}

export async function againstRewriting(): Promise<void> {
  title("One update (validate, append, 3 callbacks) against rewriting the state as JSON");
  row(`a process's first ${WARM_UP} updates, µs each`, spread([await warmUp()], 1000));
  for (const [tasks, count, aim] of [
    [10, 3000, 80],
    [1000, 200, 400],
  ] as const) {
    const tracker = trackerWith(tasks);
    const series = await inTurns(
      {
        update: loop((index) => update(tracker, tasks, index)),
        safe: loop(rewriter(tracker, "kill-safe")),
        inPlace: loop(rewriter(tracker, "in place")),
      },
      { rounds: ROUNDS, count },
    );
    row(`${tasks} tasks: update, µs`, spread(series.update, 1000));
    row(`${tasks} tasks: rewrite beside and rename (survives a kill), µs`, spread(series.safe, 1000));
    row(`${tasks} tasks: rewrite in place (a kill tears it), µs`, spread(series.inPlace, 1000));
    row(
      `${tasks} tasks: rewrite that survives a kill / update`,
      spread(ratio(series.safe, series.update)),
      `reach ${aim}`,
    );
    row(`${tasks} tasks: rewrite in place / update`, spread(ratio(series.inPlace, series.update)));
    await tracker.close();
  }
  await againstFirstImplementation();
}

async function againstFirstImplementation(): Promise<void> {
  const tracker = trackerWith(10);
  const series = await inTurns(
    { update: loop((index) => update(tracker, 10, index)), rewrite: loop(firstImplementation(10, 30)) },
    { rounds: ROUNDS, count: 1000 },
  );
  row("10 tasks of 30 events: rewrite as first implemented (in place), µs", spread(series.rewrite, 1000));
  row("10 tasks of 30 events: rewrite as first implemented / update", spread(ratio(series.rewrite, series.update)));
  await tracker.close();
}

export async function againstBareWrites(): Promise<void> {
  title("A command, and a ready line, against a bare fs.writeSync of the same bytes");
  await warmUp();
  const folder = temporaryFolder();
  const tracker = trackerWith(10, folder);
  update(tracker, 10, 1);
  const line = lastLine(join(folder, "upgrades", "bench-10", "journal", "1.jsonl"));
  const ready = readyLines(line);
  const series = await inTurns(
    { bare: loop(bareWriter(line)), command: loop((index) => update(tracker, 10, index)), ready: loop(ready) },
    { rounds: 31, count: 10_000 },
  );
  row(`bare write of ${line.length} bytes, µs`, spread(series.bare, 1000));
  row("whole command, µs", spread(series.command, 1000));
  row("append of a ready line, µs", spread(series.ready, 1000));
  row("bare / whole command", spread(ratio(series.bare, series.command)), "reach 0.35");
  row("bare / append of a ready line", spread(ratio(series.bare, series.ready)), "reach 0.85");
  await tracker.close();
}

const LINES = 180;

function lastLine(path: string): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(bytes.lastIndexOf(0x0a, bytes.length - 2) + 1);
}

/**
 * Appends `line` over and over through the storage port, which checks nothing that it is given to write. The lines lie one
 * behind the other in memory, as they come from the encoder.
 */
function readyLines(line: Buffer): (index: number) => void {
  const writer = jsonLines({ path: temporaryFolder() }).openWriter("ready");
  if (writer instanceof Promise) throw new Error("the default storage answers at once");
  void writer.reader.read();
  void writer.begin();
  const memory = Buffer.concat(new Array<Buffer>(LINES).fill(line));
  const lines = Array.from({ length: LINES }, (_, at) => memory.subarray(at * line.length, (at + 1) * line.length));
  let seq = 0;
  return () => {
    void writer.append(seq, lines[seq % LINES] as Buffer, seq + 1);
    seq += 1;
  };
}

export async function bySize(): Promise<void> {
  title("One update, by the number of tasks, and of events before it");
  const small = trackerWith(10);
  const large = trackerWith(100_000);
  const series = await inTurns(
    {
      small: loop((index) => update(small, 10, index)),
      large: loop((index) => update(large, 100_000, index)),
      busy: loop((index) => update(large, 10, index)),
    },
    { rounds: ROUNDS, count: 10_000 },
  );
  row("10 tasks, µs", spread(series.small, 1000));
  row("100,000 tasks, updates scattered over all of them, µs", spread(series.large, 1000));
  row("100,000 tasks, 10 of them busy, µs", spread(series.busy, 1000));
  row("100,000 tasks, scattered / 10 tasks", spread(ratio(series.large, series.small)), "at most 1.5");
  row("100,000 tasks, 10 busy / 10 tasks", spread(ratio(series.busy, series.small)), "at most 1.5");
  await large.close();
  const young = trackerWith(10);
  for (let index = small.progress.seq; index < 1_000_000; index++) update(small, 10, index);
  const aged = await inTurns(
    { young: loop((index) => update(young, 10, index)), old: loop((index) => update(small, 10, index)) },
    { rounds: ROUNDS, count: 5_000 },
  );
  row("after 1,000,000 events / after few", spread(ratio(aged.old, aged.young)), "at most 1.5");
  await Promise.all([small.close(), young.close()]);
}
