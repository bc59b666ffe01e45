/** One frame of the live display: an upgrade in the lines that a window has room for. */

import { clockText, durationText } from "../../view/duration.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { headView, taskRows, type HeadView } from "../../view/upgrade-view.ts";
import { cutLine, span, type Line, type Pen } from "./pen.ts";
import { rowLines } from "./task-lines.ts";
import { headerLines, insightLines } from "./upgrade-lines.ts";

export interface FrameOptions {
  readonly asOfMs: number;
  readonly hasWriter?: boolean | undefined;
  /** Lines that the frame may take. */
  readonly maxLines: number;
  /** How to leave; shown last, in quiet. */
  readonly hint: string;
  /** Said above everything, where it has to be. */
  readonly banner?: string | undefined;
}

/** Windows lower than this show no empty lines. */
const COMFORTABLE = 14;

export function frameLines(state: UpgradeProgress, by: Pen, options: FrameOptions): readonly Line[] {
  const { asOfMs, hasWriter, maxLines, banner } = options;
  const head = headView(state, { asOfMs, hasWriter });
  const gap: readonly Line[] = maxLines < COMFORTABLE ? [] : [[]];
  const top = [
    ...(banner === undefined ? [] : [cutLine([span(by, banner, "attention")], by.width, by)]),
    ...headerLines(head, by),
  ];
  const foot = maxLines < COMFORTABLE ? [] : [[], footLine(head, options.hint, by)];
  const room = maxLines - top.length - foot.length;
  const insights = insightLines(head, by, Math.max(1, Math.floor(room / 3)));
  const below = insights.length > 0 ? [...gap, ...insights] : [];
  const treeLines = room - below.length - gap.length;
  const rows =
    treeLines > 0 ? taskRows(state, asOfMs, { maxLines: treeLines, linesOf: (row) => rowLines(row, by).length }) : [];
  const tree = rows.flatMap((row) => rowLines(row, by));
  const lines = [...top, ...(tree.length > 0 ? gap : []), ...tree, ...below, ...foot].slice(0, maxLines);
  // A window too narrow for the parts of a line still holds no line that is wider.
  return lines.map((line) => cutLine(line, by.width, by));
}

function footLine({ startedAt, silentMs, hasEnded }: HeadView, hint: string, by: Pen): Line {
  const facts = [
    ...(startedAt === null ? [] : [`started ${clockText(startedAt)}`]),
    ...(hasEnded ? [] : [`last event ${durationText(silentMs)} ago`]),
    ...(hint === "" || hasEnded ? [] : [hint]),
  ];
  return cutLine([span(by, facts.join(" · "), "quiet")], by.width, by);
}
