/** A list of any length in a box of its own that is scrolled: rows of one height, of which only those in sight are there. */

import type { ComponentChild, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { listen, useSize, closest } from "../listen.ts";
import { listRows, type ListRows } from "./list-rows.tsx";
import { useRows } from "./row-window.ts";

export interface ScrollListProps extends Omit<ListRows, "range" | "kept"> {
  /** In a box that is as narrow as a phone, where rows have two lines; `rowPx` when left out. */
  readonly narrowRowPx?: number;
  readonly label: string;
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
  const [isNarrow, setNarrow] = useState(false);
  useSize(box, ({ clientWidth }) => setNarrow(clientWidth < NARROW_PX));
  const rowPx = isNarrow ? (props.narrowRowPx ?? props.rowPx) : props.rowPx;
  const range = useRows(box, { count, rowPx });
  useNews(box, { count, rowPx, newsAt, onFollow, isFollowing: props.isFollowing });
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || box.current === null) return;
    const row = closest(event, "li");
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
      <ol style={{ height: `${count * rowPx}px` }}>{listRows({ range, count, rowPx, keyOf, render })}</ol>
    </div>
  );
}

/** In px; the same as in feed.css. */
const NARROW_PX = 560;

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
    return listen(element, { scroll: look });
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
