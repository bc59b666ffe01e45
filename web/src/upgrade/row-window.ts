/** The rows that are in view of a list of very many: only they are drawn. */

import { useEffect, useState } from "preact/hooks";

/** What is drawn beyond both ends, so that a quick scroll shows no gap. */
const MARGIN_ROWS = 8;

export interface RowWindow {
  /** The first row that is drawn, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** How many rows fit into the view. */
  readonly page: number;
  readonly rowHeight: number;
}

export interface RowWindowOptions {
  readonly list: { readonly current: HTMLElement | null };
  readonly count: number;
}

/** All rows of a list are as high as `--row-height` (px) of it says. */
export function useRowWindow({ list, count }: RowWindowOptions): RowWindow {
  const [view, setView] = useState({ top: 0, height: 600, rowHeight: 36 });
  useEffect(() => {
    const element = list.current;
    if (element === null) return undefined;
    let rowHeight = 36;
    const measure = (): void => {
      // In whole rows: a scroll within one row draws nothing.
      const top = Math.floor(element.scrollTop / rowHeight) * rowHeight;
      const height = element.clientHeight;
      setView((before) =>
        before.top === top && before.height === height && before.rowHeight === rowHeight
          ? before
          : { top, height, rowHeight },
      );
    };
    const measureAll = (): void => {
      // It depends on the width alone, and asking for it at every scroll would cost a layout.
      rowHeight = Number.parseFloat(getComputedStyle(element).getPropertyValue("--row-height")) || 36;
      measure();
    };
    measureAll();
    element.addEventListener("scroll", measure, { passive: true });
    const observer = new ResizeObserver(measureAll);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", measure);
      observer.disconnect();
    };
  }, [list]);
  const { top, height, rowHeight } = view;
  const page = Math.max(1, Math.floor(height / rowHeight));
  const last = Math.max(0, count - page);
  const first = Math.min(Math.floor(top / rowHeight), last);
  return {
    from: Math.max(0, first - MARGIN_ROWS),
    to: Math.min(count, first + page + 1 + MARGIN_ROWS),
    page,
    rowHeight,
  };
}

/** Scrolls a row into view, as little as it takes. */
export function scrollToRow(element: HTMLElement, index: number, rowHeight: number): void {
  const top = index * rowHeight;
  const { scrollTop, clientHeight } = element;
  if (top < scrollTop) element.scrollTop = top;
  else if (top + rowHeight > scrollTop + clientHeight) element.scrollTop = top + rowHeight - clientHeight;
}
