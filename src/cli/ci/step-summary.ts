/** An upgrade as the summary of a step of GitHub Actions: Markdown, with every text from outside escaped. */

import { appendFileSync } from "node:fs";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { durationText, percentText } from "../../view/text/duration.ts";
import { STATUS_WORDS } from "../../view/text/status-words.ts";
import type { TaskView } from "../../view/task/task-view.ts";
import { countsText, upgradeView, type UpgradeView } from "../../view/upgrade/upgrade-view.ts";
import type { Cli } from "../context.ts";
import { safeText } from "../../view/text/safe-text.ts";

/** Rows of the table; what is well is folded away first. The page shows a megabyte at most. */
const MAX_ROWS = 100;
const MAX_TEXT = 500;

/** Adds the summary to the file that the step has for it, if it has one. Trouble is told on standard error, and is no failure. */
export function addStepSummary(cli: Cli, state: UpgradeProgress, asOfMs: number): void {
  const file = cli.env["GITHUB_STEP_SUMMARY"] ?? "";
  if (file === "") return;
  try {
    appendFileSync(file, `${summaryMarkdown(state, asOfMs)}\n`);
  } catch (error) {
    cli.stderr.write(`milepost: the step summary cannot be written (${safeText((error as Error).message)})\n`);
  }
}

/** The upgrade at a wall time (epoch ms). */
function summaryMarkdown(state: UpgradeProgress, asOfMs: number): string {
  const view = upgradeView(state, { asOfMs, maxLines: MAX_ROWS });
  const after = view.elapsedMs === null ? "" : ` after ${durationText(view.elapsedMs)}`;
  const { glyph, word } = STATUS_WORDS[view.status];
  return [
    `### ${glyph} ${escaped(view.upgradeId)} on ${escaped(view.clusterName)}: ${word}${after}`,
    "",
    [...(view.percent === null ? [] : [percentText(view.percent)]), countsText(view)].join(", "),
    ...(view.message === null ? [] : ["", escaped(view.message)]),
    ...insightLines(view),
    ...tableLines(view),
    "",
  ].join("\n");
}

function insightLines({ insights }: UpgradeView): readonly string[] {
  if (insights.length === 0) return [];
  return [
    "",
    ...insights.map(
      ({ level, message, remedy }) =>
        `- **${level}**: ${escaped(message)}${remedy === null ? "" : `; remedy: ${escaped(remedy)}`}`,
    ),
  ];
}

function tableLines({ rows }: UpgradeView): readonly string[] {
  if (rows.length === 0) return [];
  return ["", "| status | task | done | took | |", "| --- | --- | ---: | ---: | --- |", ...rows.map(rowLine)];
}

function rowLine(row: UpgradeView["rows"][number]): string {
  if (row.kind === "more") return `| | … ${row.count} more | | | |`;
  const { glyph, word } = STATUS_WORDS[row.kind === "group" ? row.status : row.task.status];
  const status = `${glyph} ${word}`;
  const indent = "&emsp;".repeat(row.depth);
  if (row.kind === "group")
    return `| ${status} | ${indent}${row.count} of ${row.of} ${escaped(row.unit ?? "tasks")} | | | |`;
  const { name, elapsedMs } = row.task;
  return `| ${status} | ${indent}${escaped(name)} | ${doneText(row.task)} | ${elapsedMs === null ? "" : durationText(elapsedMs)} | ${escaped(noteOf(row.task))} |`;
}

function doneText({ steps, percent, status }: TaskView): string {
  if (steps !== null) return `${steps.completed}/${steps.total} ${escaped(steps.unit ?? "")}`.trim();
  return percent === null || status === "completed" ? "" : percentText(percent);
}

function noteOf({ waitingOn, message }: TaskView): string {
  if (waitingOn === null) return message ?? "";
  return `waits on ${waitingOn.on}${waitingOn.remedy === null ? "" : `; remedy: ${waitingOn.remedy}`}`;
}

/** Text that Markdown and HTML take as it is: no link, no image, no mention of anybody, no end of the cell. */
function escaped(text: string): string {
  const safe = safeText(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
  return safe
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("@", "@\u2060")
    .replace(/[\\`*_{}[\]()#+.!|~$:-]/g, (char) => `\\${char}`);
}
