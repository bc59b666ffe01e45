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
  #bytes = 0;

  /** Oldest first. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** About how many bytes of memory the lines take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes an event, with the state after it; any but `log.appended` says nothing here. */
  take(event: ProgressEvent, state: UpgradeProgress): void {
    if (event.type !== "log.appended") return;
    const { seq, time, taskId } = event;
    const taskName = safeText(state.tasks.get(taskId)?.taskName ?? taskId);
    const lines = linesOf(event.text).map((line) => ({ seq, time, taskId, taskName, text: safeText(line) }));
    for (const line of lines) this.#lines.push(line);
    this.#bytes += bytesOf(lines);
  }

  /** Forgets what came before the event `seq`: what is kept has a bound. */
  forgetBefore(seq: number): void {
    const kept = this.#lines.findIndex((line) => line.seq >= seq);
    const forgotten = kept === -1 ? this.#lines.length : kept;
    this.#bytes -= bytesOf(this.#lines.slice(0, forgotten));
    this.#lines = this.#lines.slice(forgotten);
  }
}

const bytesOf = (lines: readonly LogLine[]): number =>
  lines.reduce((sum, { text }) => sum + text.length * 2 + BYTES_PER_LINE, 0);

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
  return lines.findLastIndex((line) => line.seq <= seq) + 1;
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
