/** A line that is being typed. */

import type { Key } from "./keys.ts";

const MAX_CHARS = 200;

/** The text after a key; undefined when the key is none of a line's. */
export function typed(text: string, key: Key): string | undefined {
  if (key.name === "char") return [...text].length < MAX_CHARS ? text + key.char : text;
  if (key.name === "backspace") return [...text].slice(0, -1).join("");
  if (key.name === "clear") return "";
  return undefined;
}
