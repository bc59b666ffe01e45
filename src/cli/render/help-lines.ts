/** The keys of the live display. */

import { fitToWidth } from "../../view/text/column-width.ts";
import { cutLine, span, type Line, type Pen } from "./pen.ts";

const TREE_KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ["up down, k j", "select a task"],
  ["right, l", "open it; again: its first part"],
  ["left, h", "close it; again: what it is part of"],
  ["enter, space", "open or close it"],
  ["n", "the next one that failed, waits or is paused"],
  ["g G, home end", "the first, the last"],
  ["page up, page down", "a page up, a page down"],
  ["/", "look for a text"],
  ["f", "only one status; again: the next one"],
  ["esc", "back: from typing, from looking for something, from selecting"],
  ["q, Ctrl-C", "leave; the upgrade goes on"],
];

const LIST_KEYS: typeof TREE_KEYS = [
  ["up down, k j", "select an upgrade"],
  ["enter, right, l", "watch it; esc or left comes back"],
  ["g G, home end", "the first, the last"],
  ["page up, page down", "a page up, a page down"],
  ["/", "look for a text: an id, a cluster, a status"],
  ["q, Ctrl-C", "leave; the upgrades go on"],
];

const KEYS_WIDTH = 20;

export function helpLines(of: "tree" | "list", by: Pen): readonly Line[] {
  const rows = of === "tree" ? TREE_KEYS : LIST_KEYS;
  return [
    [span(by, "Keys", "strong")],
    ...rows.map(([keys, meaning]) =>
      cutLine([span(by, `  ${fitToWidth(keys, KEYS_WIDTH)}`, "active"), span(by, meaning)], by.width, by),
    ),
    [span(by, "  any key closes this", "quiet")],
  ];
}
