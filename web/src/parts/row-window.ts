/** The rows that are in sight of a list of very many: only they are drawn. */

import { useLayoutEffect, useState } from "preact/hooks";

import { listen, useSize } from "../listen.ts";

/** What is drawn beyond both ends, so that a quick scroll shows no gap. */
const MARGIN_ROWS = 8;

/** A list, or the box that it is scrolled in. */
export interface ListRef {
  readonly current: HTMLElement | null;
}

/** The first row in sight, and the one after the last. */
export type RowRange = readonly [first: number, end: number];

export interface RowsOptions {
  readonly count: number;
  readonly rowPx: number;
  /** What stands above the rows in their box, in px. */
  readonly headPx?: number;
  /** Scrolled with the page instead of in a box of its own. */
  readonly isInPage?: boolean;
}

/** The rows of a list that are in sight, kept up as it is scrolled or changes its size. */
export function useRows(list: ListRef, { count, rowPx, headPx = 0, isInPage = false }: RowsOptions): RowRange {
  const [seen, setSeen] = useState<RowRange>([0, 40]);
  const look = (element: HTMLElement): void => {
    const top = isInPage ? -element.getBoundingClientRect().top : element.scrollTop - headPx;
    const height = isInPage ? innerHeight : element.clientHeight;
    const first = Math.max(0, Math.floor(top / rowPx) - MARGIN_ROWS);
    const end = Math.max(first + 1, Math.ceil((top + height) / rowPx) + MARGIN_ROWS);
    setSeen((before) => (before[0] === first && before[1] === end ? before : [first, end]));
  };
  useSize(list, look, [rowPx]);
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const onMove = (): void => look(element);
    return isInPage ? listen(window, { scroll: onMove, resize: onMove }) : listen(element, { scroll: onMove });
  }, [rowPx]);
  // Of a list that has become shorter the last ones, until it is scrolled to them.
  const length = seen[1] - seen[0];
  const first = Math.max(0, Math.min(seen[0], count - length));
  return [first, Math.min(count, first + length)];
}

/** Their numbers, and that of a row that must be there wherever it is; -1 for none. */
export function rowsIn([first, end]: RowRange, kept: number): readonly number[] {
  const seen = Array.from({ length: Math.max(0, end - first) }, (_, place) => first + place);
  if (kept < 0 || (kept >= first && kept < end)) return seen;
  return kept < first ? [kept, ...seen] : [...seen, kept];
}

/** Scrolls a row of a box into view, as little as it takes. */
export function scrollToRow(
  { current }: ListRef,
  index: number,
  { rowPx, headPx = 0 }: Omit<RowsOptions, "count">,
): void {
  if (current === null) return;
  const top = index * rowPx;
  const bottom = top + rowPx + headPx;
  if (top < current.scrollTop) current.scrollTop = top;
  else if (bottom > current.scrollTop + current.clientHeight) current.scrollTop = bottom - current.clientHeight;
}
