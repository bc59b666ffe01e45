/** The text of logs by lines: what tasks printed, in the order in which it was said. */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { safeText } from "../text/safe-text.ts";

/** One line of a log. `text` and `taskName` are safe to show. */
export interface LogLine {
  /** The event that brought it. */
  readonly seq: number;
  /** Wall time, ISO 8601. */
  readonly time: string;
  readonly taskId: string;
  readonly taskName: string;
  readonly text: string;
}

const BYTES_PER_LINE = 60;

/** Gathers the lines of a log. */
export class LogText {
  #lines: LogLine[] = [];

  /** Oldest first. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Takes an event, with the state after it; any but `log.appended` says nothing here. Returns about how many bytes it keeps of it. */
  take(event: ProgressEvent, state: UpgradeProgress): number {
    if (event.type !== "log.appended") return 0;
    const { seq, time, taskId, text } = event;
    const taskName = safeText(state.tasks.get(taskId)?.taskName ?? taskId);
    const lines = linesOf(text);
    for (const line of lines) this.#lines.push({ seq, time, taskId, taskName, text: safeText(line) });
    return text.length * 2 + lines.length * BYTES_PER_LINE;
  }

  /** Forgets what came before the event `seq`: what is kept has a bound. */
  forgetBefore(seq: number): void {
    const kept = this.#lines.findIndex((line) => line.seq >= seq);
    this.#lines = kept === -1 ? [] : this.#lines.slice(kept);
  }
}

/** A line end at the end begins no further line; a lone carriage return overwrites what stands before it, as on a terminal. */
function linesOf(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => {
    const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
    return plain.slice(plain.lastIndexOf("\r") + 1);
  });
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines;
}

/** The number of the first of the lines that came after the event `seq`: so many had come by then. */
export function linesUntil(lines: readonly LogLine[], seq: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle] as LogLine).seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Lines as a file: the time, the task and the text of each. */
export function logFile(lines: readonly LogLine[]): string {
  return lines.map(({ time, taskName, text }) => `${time} ${taskName}: ${text}\n`).join("");
}

/** The newest lines of one task as far as the event `untilSeq` (all when left out), oldest first, and how many came before them. */
export function newestLines(
  lines: readonly LogLine[],
  {
    taskId,
    untilSeq,
    maxLines,
  }: { readonly taskId: string; readonly untilSeq?: number | undefined; readonly maxLines: number },
): { readonly lines: readonly LogLine[]; readonly more: number } {
  const until = untilSeq === undefined ? lines.length : linesUntil(lines, untilSeq);
  const own = lines.filter((line, index) => index < until && line.taskId === taskId);
  return { lines: own.slice(-maxLines), more: Math.max(0, own.length - maxLines) };
}
