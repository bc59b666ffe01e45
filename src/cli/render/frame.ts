/** One frame of the live display: an upgrade in the lines that a window has room for. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import { headView, taskRows, type HeadView } from "../../view/upgrade/upgrade-view.ts";
import { cutLine, span, type Line, type Pen } from "./pen.ts";
import { rowLines } from "./task-lines.ts";
import { endText, headerLines, insightLines, shortHeaderLines } from "./upgrade-lines.ts";

export interface FrameOptions {
  readonly asOfMs: number;
  readonly hasWriter?: boolean | undefined;
  /** Lines that the frame may take. */
  readonly maxLines: number;
  /** The last line, where there is room for it; with `isUrgent` it is there in any case. */
  readonly foot: (head: HeadView) => { readonly line: Line; readonly isUrgent?: boolean };
  /** What stands below the header in place of the tree that fits best; `room` is how many lines it may take. */
  readonly body?: ((room: number) => readonly Line[]) | undefined;
  /** Said above everything, where it has to be. */
  readonly banner?: string | undefined;
}

/** Windows lower than this show no empty lines. */
export const COMFORTABLE = 14;

export function frameLines(state: UpgradeProgress, by: Pen, options: FrameOptions): readonly Line[] {
  const { asOfMs, hasWriter, maxLines, banner } = options;
  const head = headView(state, { asOfMs, hasWriter });
  const isTight = maxLines < COMFORTABLE;
  const gap: readonly Line[] = isTight ? [] : [[]];
  const { line, isUrgent = false } = options.foot(head);
  const foot = isTight && !isUrgent ? [] : [...gap, line];
  const top = [
    ...(banner === undefined ? [] : [cutLine([span(by, banner, "attention")], by.width, by)]),
    ...(options.body === undefined ? headerLines : shortHeaderLines)(head, by, endText(state, head)),
  ].slice(0, Math.max(1, isTight ? Math.max(3, Math.ceil(maxLines / 2)) : maxLines - foot.length));
  const room = maxLines - top.length - foot.length;
  const body =
    options.body === undefined
      ? bestTree(state, head, { room, gap, asOfMs }, by)
      : spaced(gap, options.body(room - gap.length));
  // A window too narrow for the parts of a line still holds no line that is wider.
  const above = [...top, ...body].slice(0, Math.max(0, maxLines - foot.length));
  return [...above, ...foot].slice(0, maxLines).map((each) => cutLine(each, by.width, by));
}

const spaced = (gap: readonly Line[], lines: readonly Line[]): readonly Line[] =>
  lines.length === 0 ? [] : [...gap, ...lines];

interface Room {
  readonly room: number;
  readonly gap: readonly Line[];
  readonly asOfMs: number;
}

/** The tree folded until it fits, and the insights below it. */
function bestTree(state: UpgradeProgress, head: HeadView, { room, gap, asOfMs }: Room, by: Pen): readonly Line[] {
  const below = spaced(gap, insightLines(head, by, Math.max(1, Math.floor(room / 3))));
  const maxLines = room - below.length - gap.length;
  const rows = maxLines > 0 ? taskRows(state, asOfMs, { maxLines, linesOf: (row) => rowLines(row, by).length }) : [];
  return [
    ...spaced(
      gap,
      rows.flatMap((row) => rowLines(row, by)),
    ),
    ...below,
  ];
}
