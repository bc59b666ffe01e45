/** An upgrade as lines for a terminal: header, tree, insights. */

import { durationText, percentText } from "../../view/duration.ts";
import { HEALTH_TONES, INSIGHT_TONES, STATUS_WORDS, type ShownStatus } from "../../view/status-words.ts";
import type { HeadView, InsightView, UpgradeView } from "../../view/upgrade-view.ts";
import { cutLine, glyph, lineWidth, span, spread, wrapText, type Line, type Look, type Pen } from "./pen.ts";
import { bar, rowLines } from "./task-lines.ts";

/** All lines of an upgrade, each at most as wide as the pen. */
export function upgradeLines(view: UpgradeView, by: Pen): readonly Line[] {
  const tree = view.rows.flatMap((row) => rowLines(row, by));
  const insights = insightLines(view, by);
  return [
    ...headerLines(view, by),
    ...(tree.length > 0 ? [[]] : []),
    ...tree,
    ...(insights.length > 0 ? [[]] : []),
    ...insights,
  ];
}

/** What is true of the whole: two to six lines. */
export function headerLines(view: HeadView, by: Pen): readonly Line[] {
  const words = STATUS_WORDS[view.status];
  const name = [
    span(by, view.upgradeId, "strong"),
    span(by, ` on ${view.clusterName}`),
    ...(view.run > 1 ? [span(by, ` (run ${view.run})`, "quiet")] : []),
  ];
  const status = [
    span(by, `${glyph(by, words)} ${words.word}`, words.tone),
    span(by, view.elapsedMs === null ? "" : `  ${durationText(view.elapsedMs)}`),
  ];
  const lines = [spread(name, status, by.width, by), percentLine(view, by)];
  const about = [phaseText(view), countsText(view)].filter((text) => text !== "");
  if (lineWidth([span(by, about.join(" · "))]) <= by.width) lines.push([span(by, about.join(" · "))]);
  else for (const text of about) lines.push(...paragraph(text, undefined, by));
  lines.push(...healthLines(view, by));
  if (view.message !== null) lines.push(...paragraph(view.message, view.status === "failed" ? "bad" : undefined, by));
  return lines;
}

function percentLine(view: HeadView, by: Pen): Line {
  const text =
    view.percent === null ? (view.status === "not_started" ? "" : percentText(null)) : percentText(view.percent);
  const words = STATUS_WORDS[view.status];
  const look = view.status === "in_progress" ? "active" : words.tone;
  const number = span(by, ` ${text.padStart(4)}`, "strong");
  return cutLine(
    [...bar(view.percent ?? 0, Math.max(1, by.width - lineWidth([number])), by, look), number],
    by.width,
    by,
  );
}

function phaseText({ phase, phaseElapsedMs, hasEnded }: HeadView): string {
  if (phase === null || hasEnded) return "";
  return `${phase}${phaseElapsedMs === null ? "" : ` for ${durationText(phaseElapsedMs)}`}`;
}

/** "9 of 23 tasks completed, 2 running, 1 waiting". */
export function countsText({ counts, taskCount }: HeadView): string {
  if (taskCount === 0) return "no tasks yet";
  const others = (["in_progress", "waiting", "paused", "failed", "cancelled", "skipped"] satisfies ShownStatus[])
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${STATUS_WORDS[status].word}`);
  return [`${counts.completed} of ${taskCount} ${taskCount === 1 ? "task" : "tasks"} completed`, ...others].join(", ");
}

function healthLines({ health }: HeadView, by: Pen): readonly Line[] {
  if (health === null || health.state === "progressing") return [];
  const reasons = health.reasons.length === 0 ? "" : `: ${health.reasons.join("; ")}`;
  return paragraph(`Health: ${health.state}${reasons}`, HEALTH_TONES[health.state], by);
}

/** Text in at most two lines. */
export function paragraph(text: string, look: Look | undefined, by: Pen, margin = 0): readonly Line[] {
  const lines = wrapText(span(by, text).text, Math.max(1, by.width - margin), 2, by.mark);
  return lines.map((line) => [span(by, " ".repeat(margin)), span(by, line, look)]);
}

/** The insights, each in at most four lines; `maxLines` leaves room for the tree. */
export function insightLines({ insights }: HeadView, by: Pen, maxLines = Infinity): readonly Line[] {
  const lines: Line[] = [];
  for (const [index, insight] of insights.entries()) {
    const own = insightParagraphs(insight, by);
    const isLast = index === insights.length - 1;
    if (lines.length + own.length + (isLast ? 0 : 1) > maxLines) {
      const left = insights.length - index;
      if (maxLines > lines.length)
        lines.push(
          cutLine([span(by, `${by.mark} ${left} more ${left === 1 ? "insight" : "insights"}`, "quiet")], by.width, by),
        );
      break;
    }
    lines.push(...own);
  }
  return lines;
}

function insightParagraphs(insight: InsightView, by: Pen): readonly Line[] {
  const sign = insight.level === "info" ? "i" : "!";
  const title = `${sign} ${insight.level}: ${insight.message} (for ${durationText(insight.elapsedMs)})`;
  const remedy = insight.remedy === null ? [] : paragraph(`remedy: ${insight.remedy}`, undefined, by, 2);
  return [...paragraph(title, INSIGHT_TONES[insight.level], by), ...remedy];
}
