/** Measuring: rounds in which the things compared take turns, so that a busy neighbour hits them alike; medians and spreads. */

import { cpus, totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Something to be timed: does its work `count` times and resolves with the nanoseconds it took. */
export type Timed = (count: number) => number | Promise<number>;

/** Nanoseconds of one operation, one value per round. */
export type Series = readonly number[];

/** Collects all garbage there is. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/**
 * Times the subjects in turn, `rounds` times over, after one round that does not count.
 *
 * @param before - called before each turn, outside of what is timed.
 */
export async function inTurns<K extends string>(
  subjects: Readonly<Record<K, Timed>>,
  { rounds, count, before }: { readonly rounds: number; readonly count: number; readonly before?: () => void },
): Promise<Record<K, Series>> {
  const names = Object.keys(subjects) as K[];
  const series = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      before?.();
      const spent = await subjects[name](count);
      if (round >= 0) series[name].push(spent / count);
    }
  }
  return series;
}

/** Times `work` called `count` times in a row. */
export function loop(work: (index: number) => void): Timed {
  return (count) => {
    const start = process.hrtime.bigint();
    for (let index = 0; index < count; index++) work(index);
    return Number(process.hrtime.bigint() - start);
  };
}

function median(series: Series): number {
  const sorted = [...series].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The ratio of two series, round by round, so that both sides of each had the same neighbours. */
export function ratio(a: Series, b: Series): Series {
  return a.map((value, round) => value / (b[round] as number));
}

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** "1.23 [1.10-1.45]" */
export function spread(series: Series, scale = 1): string {
  const scaled = series.map((value) => value / scale);
  return `${number(median(scaled))} [${number(Math.min(...scaled))}-${number(Math.max(...scaled))}]`;
}

/** One line of a result: what, how much, and what it should reach. */
export function row(what: string, figure: string, aim = ""): void {
  process.stdout.write(`  ${what.padEnd(66)} ${figure.padStart(24)}  ${aim}\n`);
}

export function title(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

/** What the figures were made on. */
export function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} x ${cpu?.model ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
}
