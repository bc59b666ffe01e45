/** A list of any length in a box of its own that is scrolled: rows of one height, of which only those in sight are there. */

import type { ComponentChild, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows beyond the edges, so that none is missing while it is scrolled. */
const MARGIN_ROWS = 8;

/** The first row in sight, and the one after the last. */
export type RowRange = readonly [first: number, end: number];

export interface RowsOptions {
  readonly count: number;
  readonly rowPx: number;
  /** What stands above the rows in the box, in px. */
  readonly headPx?: number;
}

/** The rows of a box that are in sight, kept up as it is scrolled or changes its size. */
export function useRows(box: RefObject<HTMLElement | null>, { count, rowPx, headPx = 0 }: RowsOptions): RowRange {
  const [seen, setSeen] = useState<RowRange>([0, 40]);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = (): void => {
      const first = Math.max(0, Math.floor((element.scrollTop - headPx) / rowPx) - MARGIN_ROWS);
      const end = Math.ceil((element.scrollTop + element.clientHeight) / rowPx) + MARGIN_ROWS;
      setSeen((before) => (before[0] === first && before[1] === end ? before : [first, end]));
    };
    look();
    const resized = new ResizeObserver(look);
    resized.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      resized.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [box, rowPx, headPx]);
  const first = Math.min(seen[0], Math.max(0, count - 1));
  return [first, Math.min(count, Math.max(seen[1], first + 1))];
}

export interface ScrollListProps {
  readonly count: number;
  readonly rowPx: number;
  /** In a box that is as narrow as a phone, where rows have two lines; `rowPx` when left out. */
  readonly narrowRowPx?: number;
  readonly label: string;
  /** The key of a row: the same row keeps it when others come before it. */
  readonly keyOf: (index: number) => string | number;
  readonly render: (index: number) => ComponentChild;
  /** Which end news come to: the box stays with it while it is there, and with what is read while it is not. */
  readonly newsAt: "start" | "end";
  /** Said from outside whether it stays with the news; by where the box stands when left out. */
  readonly isFollowing?: boolean;
  /** Called when the box has come to the end at which news come, or has left it. */
  readonly onFollow?: ((isFollowing: boolean) => void) | undefined;
  readonly class?: string;
}

export function ScrollList({
  count,
  label,
  keyOf,
  render,
  newsAt,
  onFollow,
  ...props
}: ScrollListProps): ComponentChild {
  const box = useRef<HTMLDivElement>(null);
  const isNarrow = useIsNarrow(box);
  const rowPx = isNarrow ? (props.narrowRowPx ?? props.rowPx) : props.rowPx;
  const [first, end] = useRows(box, { count, rowPx });
  useNews(box, { count, rowPx, newsAt, onFollow, isFollowing: props.isFollowing });
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || box.current === null || !(event.target instanceof Element)) return;
    const row = event.target.closest("li");
    if (row === null) return;
    event.preventDefault();
    const next = step === 1 ? row.nextElementSibling : row.previousElementSibling;
    next?.querySelector<HTMLElement>("a, button")?.focus();
  };
  return (
    <div
      ref={box}
      class={`scroll-list ${props.class ?? ""}`}
      role="region"
      aria-label={label}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <ol style={{ height: `${count * rowPx}px` }}>
        {Array.from({ length: end - first }, (_, place) => {
          const index = first + place;
          const style = { "--y": `${index * rowPx}px`, height: `${rowPx}px` };
          return (
            <li key={keyOf(index)} style={style} aria-setsize={count} aria-posinset={index + 1}>
              {render(index)}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** In px; the same as in feed.css. */
const NARROW_PX = 560;

function useIsNarrow(box: RefObject<HTMLElement | null>): boolean {
  const [isNarrow, setNarrow] = useState(false);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = (): void => setNarrow(element.clientWidth < NARROW_PX);
    look();
    const resized = new ResizeObserver(look);
    resized.observe(element);
    return () => resized.disconnect();
  }, [box]);
  return isNarrow;
}

type News = Pick<ScrollListProps, "count" | "rowPx" | "newsAt" | "onFollow"> & {
  readonly isFollowing: boolean | undefined;
};

/** Stays at the end at which news come, or where one reads. */
function useNews(box: RefObject<HTMLElement | null>, { count, rowPx, newsAt, onFollow, isFollowing }: News): void {
  const before = useRef({ count, isAtNews: true });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = (): void => {
      const isAtNews = standsAtNews(element, newsAt);
      if (isAtNews !== before.current.isAtNews) onFollow?.(isAtNews);
      before.current.isAtNews = isAtNews;
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [box, newsAt, onFollow]);
  useLayoutEffect(() => {
    const element = box.current;
    const grownBy = count - before.current.count;
    before.current.count = count;
    if (element === null) return;
    if (isFollowing ?? before.current.isAtNews) element.scrollTop = newsAt === "start" ? 0 : element.scrollHeight;
    else if (newsAt === "start" && grownBy > 0) element.scrollTop += grownBy * rowPx;
  }, [box, count, newsAt, rowPx, isFollowing]);
}

function standsAtNews({ scrollTop, scrollHeight, clientHeight }: HTMLElement, newsAt: News["newsAt"]): boolean {
  return newsAt === "start" ? scrollTop < 4 : scrollTop + clientHeight > scrollHeight - 4;
}
