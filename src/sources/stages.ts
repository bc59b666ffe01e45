/** The stages of a command as tasks below its own: all of a row are added when the first is entered, since the tool says how many there are. */

import type { Stage } from "./observation.ts";

/** A command for the tracker, as plain data; the tracker checks it. */
export type CommandInput = { readonly type: string } & Readonly<Record<string, unknown>>;

/** A row with more parts than this is counted, not listed. */
const MAX_STAGES = 32;
/** All rows together; a tool that goes on beginning new ones is counted from there on. */
const MAX_TASKS = 128;

interface Row {
  readonly prefix: string;
  readonly series: string;
  of: number;
  /** The stage under way, from 1; 0 before the first. */
  current: number;
  /** The last stage is completed too: another row has begun in its place. */
  isOver: boolean;
}

/** Where an observation with a stage belongs. */
export type Entered =
  | {
      readonly kind: "entered";
      readonly taskId: string;
      readonly commands: readonly CommandInput[];
      /** The tasks that `commands` complete. */
      readonly left: readonly string[];
    }
  /** A line about a stage that has been left. */
  | { readonly kind: "past" }
  /** Too many to list. */
  | { readonly kind: "counted" };

const keyOf = ({ series, of }: { readonly series: string; readonly of: number }): string => `${series}/${of}`;

export class Stages {
  readonly #rootId: string;
  readonly #prefix: string;
  readonly #rows = new Map<string, Row>();
  #rowCount = 0;
  #taskCount = 0;
  #newest: Row | undefined;

  constructor(rootId: string, prefix: string) {
    this.#rootId = rootId;
    this.#prefix = prefix;
  }

  get isEmpty(): boolean {
    return this.#taskCount === 0;
  }

  /** The task of the stage last entered. */
  get currentTaskId(): string | undefined {
    return this.#newest === undefined ? undefined : taskIdOf(this.#newest, this.#newest.current);
  }

  /** Goes to a stage; the ones before it in its row are over. */
  enter(stage: Stage, message: string | undefined): Entered {
    const known = this.#rows.get(keyOf(stage));
    const isAtEnd = known !== undefined && known.current === known.of;
    if (known !== undefined && (isAtEnd ? known.isOver && stage.number === known.of : stage.number < known.current))
      return { kind: "past" };
    const commands: CommandInput[] = [];
    let row = known;
    if (known === undefined || stage.number < known.current) {
      row = (known === undefined ? this.#longer(stage, commands) : undefined) ?? this.#begin(stage, known, commands);
      if (row === undefined) return { kind: "counted" };
    }
    const place = row as Row;
    advance(place, stage.number, message, commands);
    this.#newest = place;
    const left = commands.filter(({ type }) => type === "completeTask").map(({ taskId }) => String(taskId));
    return { kind: "entered", taskId: taskIdOf(place, stage.number), commands, left };
  }

  /** The newest row of the series, when this stage goes on in it and the tool has only found more to do. */
  #longer(stage: Stage, commands: CommandInput[]): Row | undefined {
    const row = this.#newest;
    if (row?.series !== stage.series || row.current === 0 || stage.of <= row.of || stage.of > MAX_STAGES)
      return undefined;
    if (stage.number === 1 || (stage.number !== row.current && stage.number !== row.current + 1)) return undefined;
    this.#rows.delete(keyOf(row));
    this.#addTasks(row, stage, commands);
    return row;
  }

  #begin(stage: Stage, known: Row | undefined, commands: CommandInput[]): Row | undefined {
    if (stage.of > MAX_STAGES || this.#taskCount + stage.of > MAX_TASKS) return undefined;
    // A row that has come to its last stage is over when the next one of its series begins.
    for (const row of [known, this.#newest]) {
      if (row?.series !== stage.series || row.current !== row.of || row.isOver) continue;
      row.isOver = true;
      commands.push({ type: "completeTask", taskId: taskIdOf(row, row.of) });
    }
    this.#rowCount += 1;
    const row: Row = {
      prefix: `${this.#prefix}/${this.#rowCount}`,
      series: stage.series,
      of: 0,
      current: 0,
      isOver: false,
    };
    this.#addTasks(row, stage, commands);
    return row;
  }

  #addTasks(row: Row, stage: Stage, commands: CommandInput[]): void {
    const series = stage.series === "" ? "" : `${stage.series} `;
    for (let number = row.of + 1; number <= stage.of; number++) {
      const taskName = stage.names?.[number - 1] ?? `${series}step ${number} of ${stage.of}`;
      commands.push({ type: "addTask", taskId: taskIdOf(row, number), taskName, parentTaskId: this.#rootId });
    }
    this.#taskCount += stage.of - row.of;
    row.of = stage.of;
    this.#rows.set(keyOf(row), row);
  }

  /** What becomes of the stages when the command has ended: `error` when it failed or was stopped. */
  end(how: "completed" | "failed" | "cancelled", error: string): readonly CommandInput[] {
    const open = [...this.#rows.values()].filter(({ isOver }) => !isOver);
    return open.flatMap((row) => {
      const taskId = taskIdOf(row, row.current);
      const rest = Array.from({ length: row.of - row.current }, (_, index) => taskIdOf(row, row.current + 1 + index));
      return [this.#endOf(row, taskId, how, error), ...rest.map((id) => withoutIt(id, how))];
    });
  }

  #endOf(row: Row, taskId: string, how: "completed" | "failed" | "cancelled", error: string): CommandInput {
    if (how === "completed") return { type: "completeTask", taskId };
    if (how === "failed" && row === this.#newest) return { type: "failTask", taskId, errorMessage: error };
    return { type: "cancelTask", taskId, message: error };
  }
}

const taskIdOf = (row: Row, number: number): string => `${row.prefix}/${number}`;

const withoutIt = (taskId: string, how: "completed" | "failed" | "cancelled"): CommandInput => ({
  type: how === "completed" ? "skipTask" : "cancelTask",
  taskId,
  message: "The command ended without it",
});

function advance(row: Row, to: number, message: string | undefined, commands: CommandInput[]): void {
  if (to === row.current) return;
  if (row.current > 0) commands.push({ type: "completeTask", taskId: taskIdOf(row, row.current) });
  for (let number = row.current + 1; number < to; number++) {
    commands.push({ type: "skipTask", taskId: taskIdOf(row, number), message: "Never announced by the command" });
  }
  commands.push({ type: "startTask", taskId: taskIdOf(row, to), ...(message !== undefined && { message }) });
  row.current = to;
}
