/** Text with the words that were looked for marked. */

import type { ComponentChild } from "preact";

import type { Finder } from "../../../src/view/text/search.ts";

export function FoundText({ text, find }: { readonly text: string; readonly find: Finder }): ComponentChild {
  if (find.isEmpty) return text;
  return find.pieces(text).map((piece, index) => (piece.isFound ? <mark key={index}>{piece.text}</mark> : piece.text));
}
