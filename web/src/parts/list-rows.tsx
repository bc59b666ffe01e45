/** The rows of a list of which not all are there: each says how many there are, and which it is. */

import type { ComponentChild } from "preact";

import { rowsIn, type RowRange } from "./row-window.ts";

export interface ListRows {
  readonly range: RowRange;
  /** A row that is there in any case, as the one with the focus must be. */
  readonly kept?: number | undefined;
  readonly count: number;
  readonly rowPx: number;
  /** The key of a row: the same row keeps it when others come before it. */
  readonly keyOf: (index: number) => string | number;
  readonly render: (index: number) => ComponentChild;
}

export function listRows({ range, kept = -1, count, rowPx, keyOf, render }: ListRows): ComponentChild {
  return rowsIn(range, kept < count ? kept : -1).map((index) => {
    const style = { "--y": `${index * rowPx}px`, height: `${rowPx}px` };
    return (
      <li key={keyOf(index)} style={style} aria-setsize={count} aria-posinset={index + 1}>
        {render(index)}
      </li>
    );
  });
}
