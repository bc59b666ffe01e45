/** Writes lines with the time before them, in the sections of a build's log where there is one. */

import type { EventLine } from "../../view/log/event-line.ts";
import { clockText } from "../../view/text/duration.ts";
import { buildLog } from "../ci/system.ts";
import type { Cli } from "../context.ts";
import { paint, span, type Look } from "../render/pen.ts";
import { penFor } from "../terminal.ts";
import type { PresenterOptions } from "./presenting.ts";

export class Printer {
  /** Monotonic time of the last line (ms). */
  saidMs: number;
  readonly #cli: Cli;
  readonly #common: PresenterOptions["common"];
  readonly #now: () => number;
  readonly #log: ReturnType<typeof buildLog>;
  #section: string | undefined;
  #isClosed = false;

  constructor(cli: Cli, { common, now, ci = "none" }: Pick<PresenterOptions, "common" | "now" | "ci">) {
    this.#cli = cli;
    this.#common = common;
    this.#now = now;
    // Sections are of the time in which they are written, also in a replay.
    this.#log = buildLog(ci, () => cli.clock.now());
    this.saidMs = cli.clock.monotonic();
  }

  /** Says something now. */
  say(text: string, look?: Look): void {
    this.line({ time: clockText(new Date(this.#now()).toISOString()), text, tone: look });
  }

  line({ time, text, tone }: Pick<EventLine, "time" | "text"> & { readonly tone: Look | undefined }): void {
    const by = penFor(this.#cli.stdout, this.#cli.env, this.#common);
    const painted = paint([span(by, `${time} `, "quiet"), span(by, text, tone === "quiet" ? undefined : tone)], by);
    this.#write([this.#log.line(painted)]);
  }

  /** A line that stands out where that is possible. */
  annotation(level: "error" | "warning", title: string, { time, text, tone }: EventLine): void {
    const by = penFor(this.#cli.stdout, this.#cli.env, this.#common);
    const { text: safe } = span(by, `${time} ${text}`);
    const annotated = this.#log.annotation(level, title, safe);
    if (annotated === safe) this.line({ time, text, tone });
    else this.#write([annotated]);
  }

  /** What comes now belongs together; `undefined` is outside of all. */
  section(title: string | undefined): void {
    if (title === this.#section) return;
    if (this.#section !== undefined) this.#write(this.#log.sectionEnd());
    this.#section = title;
    if (title === undefined) return;
    const by = penFor(this.#cli.stdout, this.#cli.env, this.#common);
    this.#write(this.#log.sectionStart(span(by, title).text));
  }

  close(): void {
    this.section(undefined);
    this.#isClosed = true;
  }

  #write(lines: readonly string[]): void {
    if (this.#isClosed || lines.length === 0) return;
    this.#cli.stdout.write(`${lines.join("\n")}\n`);
    this.saidMs = this.#cli.clock.monotonic();
  }
}
