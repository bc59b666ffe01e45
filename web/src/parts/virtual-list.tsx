/** A list of any length of which only what is in the window is there. */

import type { ComponentChild } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface VirtualListProps<Item> {
  readonly items: readonly Item[];
  /** The height of a row. */
  readonly rowPx: number;
  readonly keyOf: (item: Item) => string;
  readonly render: (item: Item, index: number) => ComponentChild;
  /** The name of the list, for who cannot see it. */
  readonly label: string;
  /** An item that is there in any case, as the one with the focus must be. */
  readonly keptIndex?: number | undefined;
  readonly class?: string;
}

/** Rows beyond the window, so that none is missing while the page is moved. In px. */
const MARGIN = 600;

export function VirtualList<Item>(props: VirtualListProps<Item>): ComponentChild {
  const { items, rowPx, keyOf, render, label, keptIndex = -1 } = props;
  const list = useRef<HTMLUListElement>(null);
  const height = items.length * rowPx;
  const [from, to] = useWindow(list, height);
  const first = Math.max(0, Math.floor((from - MARGIN) / rowPx));
  const last = Math.min(items.length - 1, Math.floor((to + MARGIN) / rowPx));
  const shown = [...items.keys()].filter((index) => index === keptIndex || (index >= first && index <= last));
  return (
    <ul ref={list} class={`virtual-list ${props.class ?? ""}`} aria-label={label} style={{ height: `${height}px` }}>
      {shown.map((index) => {
        const item = items[index] as Item;
        const style = { "--y": `${index * rowPx}px`, height: `${rowPx}px` };
        return (
          <li key={keyOf(item)} style={style} aria-setsize={items.length} aria-posinset={index + 1}>
            {render(item, index)}
          </li>
        );
      })}
    </ul>
  );
}

/** The part of the list that is in the window, as heights within it; kept up as the page moves. */
function useWindow(list: { readonly current: HTMLElement | null }, height: number): readonly [number, number] {
  const [seen, setSeen] = useState<readonly [number, number]>([0, 1000]);
  useLayoutEffect(() => {
    const look = (): void => {
      if (list.current === null) return;
      const { top } = list.current.getBoundingClientRect();
      // In steps, so that a small move changes nothing.
      const from = Math.floor(-top / 200) * 200;
      setSeen((before) => {
        const to = from + Math.ceil(innerHeight / 200) * 200 + 200;
        return before[0] === from && before[1] === to ? before : [from, to];
      });
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look, { passive: true });
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [list, height]);
  return seen;
}
