/** A list of any length of which only what is in the window is there. */

import type { ComponentChild } from "preact";
import { useRef } from "preact/hooks";

import { listRows, type ListRows } from "./list-rows.tsx";
import { useRows } from "./row-window.ts";

export interface VirtualListProps extends Omit<ListRows, "range"> {
  /** The name of the list, for who cannot see it. */
  readonly label: string;
  readonly class: string;
}

export function VirtualList(props: VirtualListProps): ComponentChild {
  const { count, rowPx, label } = props;
  const list = useRef<HTMLUListElement>(null);
  const range = useRows(list, { count, rowPx, isInPage: true });
  return (
    <ul ref={list} class={`virtual-list ${props.class}`} aria-label={label} style={{ height: `${count * rowPx}px` }}>
      {listRows({ ...props, range })}
    </ul>
  );
}
