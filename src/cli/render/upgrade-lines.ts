/** An upgrade as lines for a terminal: header, tree, insights. */

import { durationText, percentText } from "../../view/text/duration.ts";
import { etaView } from "../../view/estimate/eta.ts";
import { etaWords } from "../../view/estimate/eta-text.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { HEALTH_TONES, INSIGHT_TONES, STATUS_WORDS } from "../../view/text/status-words.ts";
import {
  countsText,
  momentAt,
  type HeadView,
  type InsightView,
  type UpgradeView,
} from "../../view/upgrade/upgrade-view.ts";
import { cutLine, glyph, lineWidth, span, spread, wrapText, type Line, type Look, type Pen } from "./pen.ts";
import { bar, rowLines } from "./task-lines.ts";

/** All lines of an upgrade, each at most as wide as the pen. `end` is what {@link endText} says. */
export function upgradeLines(view: UpgradeView, by: Pen, end = ""): readonly Line[] {
  const tree = view.rows.flatMap((row) => rowLines(row, by));
  const insights = insightLines(view, by);
  return [
    ...headerLines(view, by, end),
    ...(tree.length > 0 ? [[]] : []),
    ...tree,
    ...(insights.length > 0 ? [[]] : []),
    ...insights,
  ];
}

/** When it will be done, as far as that can be foreseen; empty when nothing can be said. */
export function endText(state: UpgradeProgress, head: HeadView): string {
  const { when, left } = etaWords(etaView(state, momentAt(state, Date.parse(head.asOf))), head);
  if (left === null) return "";
  return when.startsWith("not") ? `done ${when}` : `done ${when}, ${left}`;
}

/** What is true of the whole: two to seven lines. */
export function headerLines(view: HeadView, by: Pen, end = ""): readonly Line[] {
  const about = [phaseText(view), countsText(view)].filter((text) => text !== "");
  const lines = [nameLine(view, by), percentLine(view, by)];
  const isOneLine = lineWidth([span(by, about.join(" · "))]) <= by.width;
  for (const [index, text] of (isOneLine ? [about.join(" · ")] : about).entries())
    lines.push(...(index === 0 ? withEnd(text, end, by) : paragraph(text, undefined, by)));
  lines.push(...healthLines(view, by));
  if (view.message !== null) lines.push(...paragraph(view.message, view.status === "failed" ? "bad" : undefined, by));
  return lines;
}

/** The same in three lines, and one more while health is bad: what stands below does not move when words change. */
export function shortHeaderLines(view: HeadView, by: Pen, end = ""): readonly Line[] {
  const about = [phaseText(view), countsText(view)].filter((text) => text !== "").join(" · ");
  return [
    nameLine(view, by),
    percentLine(view, by),
    spread([span(by, about)], [span(by, end)], by.width, by),
    ...healthText(view).map(([text, look]) => cutLine([span(by, text, look)], by.width, by)),
  ];
}

function nameLine(view: HeadView, by: Pen): Line {
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
  return spread(name, status, by.width, by);
}

/** The end stands at the other end of the line where there is room for it, else below. */
function withEnd(text: string, end: string, by: Pen): readonly Line[] {
  const [left, right] = [[span(by, text)], [span(by, end)]];
  if (end === "") return paragraph(text, undefined, by);
  if (lineWidth(left) + 2 + lineWidth(right) <= by.width) return [spread(left, right, by.width, by)];
  return [...paragraph(text, undefined, by), ...paragraph(end, undefined, by)];
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

function healthLines(view: HeadView, by: Pen): readonly Line[] {
  return healthText(view).flatMap(([text, look]) => paragraph(text, look, by));
}

/** Nothing while all is well. */
function healthText({ health }: HeadView): readonly (readonly [text: string, look: Look])[] {
  if (health === null || health.state === "progressing") return [];
  const reasons = health.reasons.length === 0 ? "" : `: ${health.reasons.join("; ")}`;
  return [[`Health: ${health.state}${reasons}`, HEALTH_TONES[health.state]]];
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
