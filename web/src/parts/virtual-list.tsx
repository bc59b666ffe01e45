/** A list of any length of which only what is in the window is there. Rows may differ in height; each says its own. */

import type { ComponentChild } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

export interface VirtualListProps<Item> {
  readonly items: readonly Item[];
  /** In px. The same item has the same height until the list is given a new function. */
  readonly heightOf: (item: Item) => number;
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
  const { items, heightOf, keyOf, render, label, keptIndex } = props;
  const list = useRef<HTMLUListElement>(null);
  const tops = useMemo(() => topsOf(items, heightOf), [items, heightOf]);
  const height = tops[items.length] ?? 0;
  const [from, to] = useWindow(list, height);
  const first = Math.max(0, indexAt(tops, from - MARGIN));
  const last = Math.min(items.length - 1, indexAt(tops, to + MARGIN));
  const shown: number[] = [];
  if (keptIndex !== undefined && keptIndex < first && keptIndex >= 0) shown.push(keptIndex);
  for (let index = first; index <= last; index += 1) shown.push(index);
  if (keptIndex !== undefined && keptIndex > last && keptIndex < items.length) shown.push(keptIndex);
  return (
    <ul ref={list} class={`virtual-list ${props.class ?? ""}`} aria-label={label} style={{ height: `${height}px` }}>
      {shown.map((index) => {
        const item = items[index] as Item;
        const style = { "--y": `${tops[index] ?? 0}px`, height: `${heightOf(item)}px` };
        return (
          <li key={keyOf(item)} style={style} aria-setsize={items.length} aria-posinset={index + 1}>
            {render(item, index)}
          </li>
        );
      })}
    </ul>
  );
}

/** Where each item begins, and at last where the list ends. */
function topsOf<Item>(items: readonly Item[], heightOf: (item: Item) => number): Float64Array {
  const tops = new Float64Array(items.length + 1);
  for (let index = 0; index < items.length; index += 1) {
    tops[index + 1] = (tops[index] as number) + heightOf(items[index] as Item);
  }
  return tops;
}

/** The item at a height. */
function indexAt(tops: Float64Array, y: number): number {
  let [low, high] = [0, tops.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] as number) <= y) low = middle;
    else high = middle - 1;
  }
  return low;
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
