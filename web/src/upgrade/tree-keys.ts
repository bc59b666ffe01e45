/** The keyboard in a tree, as the WAI-ARIA authoring practices describe it. */

import type { OpenRow } from "../../../src/view/task/open-rows.ts";

export interface TreeKey {
  readonly key: string;
  readonly rows: readonly OpenRow[];
  /** The place of the row that the keyboard is on. */
  readonly at: number;
  /** How many rows are in view. */
  readonly page: number;
}

/** What a key asks for: another row, or something of the present one. */
export type TreeStep =
  { readonly kind: "go"; readonly to: number } | { readonly kind: "open" | "close" | "toggle" | "activate" };

/** What a key does; undefined for a key that is none of the tree's. */
export function treeStep({ key, rows, at, page }: TreeKey): TreeStep | undefined {
  const go = (to: number): TreeStep => ({ kind: "go", to: Math.max(0, Math.min(rows.length - 1, to)) });
  const row = rows[at];
  switch (key) {
    case "ArrowDown":
      return go(at + 1);
    case "ArrowUp":
      return go(at - 1);
    case "PageDown":
      return go(at + page);
    case "PageUp":
      return go(at - page);
    case "Home":
      return go(0);
    case "End":
      return go(rows.length - 1);
    case "ArrowRight":
      return row?.isOpen === false ? { kind: "open" } : row?.isOpen === true ? go(at + 1) : undefined;
    case "ArrowLeft":
      return row?.isOpen === true ? { kind: "close" } : go(parentOf(rows, at));
    case "Enter":
      return { kind: "activate" };
    case " ":
      return { kind: "toggle" };
    default:
      return byName({ key, rows, at });
  }
}

function parentOf(rows: readonly OpenRow[], at: number): number {
  const depth = rows[at]?.depth ?? 0;
  for (let index = at - 1; index >= 0; index--) if ((rows[index]?.depth ?? 0) < depth) return index;
  return at;
}

/** A letter goes to the next row whose name begins with it. */
function byName({ key, rows, at }: Omit<TreeKey, "page">): TreeStep | undefined {
  if (key.length !== 1 || key === "/") return undefined;
  const letter = key.toLowerCase();
  for (let step = 1; step <= rows.length; step++) {
    const to = (at + step) % rows.length;
    const row = rows[to];
    if (row?.kind === "task" && row.branch.task.taskName.toLowerCase().startsWith(letter)) return { kind: "go", to };
  }
  return undefined;
}
