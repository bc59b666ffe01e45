/** What stands on the terminal while something is shown in place: its lines at a moment, and what it does with keys. */

import type { Line, Pen } from "../render/pen.ts";
import type { Key } from "./keys.ts";

export interface Scene {
  /** At most `maxLines` lines of at most `by.width` columns. */
  lines(by: Pen, maxLines: number): readonly Line[];
  /** Takes a key. `quit` leaves the program, `back` goes to where one came from. */
  key(key: Key): "taken" | "quit" | "back";
}
