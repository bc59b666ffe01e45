/** Keys that work anywhere on a page. */

import { useEffect, useRef } from "preact/hooks";

import { listen, closest } from "./listen.ts";

/** Where letters are written and arrows have a meaning of their own. */
const FIELDS = "input, textarea, select, [role=slider], [role=tablist]";

/** What works in a search field, too. */
const LEAVES_FIELD: ReadonlySet<string> = new Set(["ArrowDown", "Escape"]);

/** True if another key is held with it, so that it means something to the browser. */
export function isChord({ ctrlKey, metaKey, altKey }: KeyboardEvent | MouseEvent): boolean {
  return ctrlKey || metaKey || altKey;
}

/** Calls the function of a key, by its name as in `KeyboardEvent.key`, as long as the component is there. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const newest = useRef(keys);
  newest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const run = newest.current[event.key];
      if (run === undefined || isChord(event) || event.defaultPrevented) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const field = closest(event, FIELDS);
      if (field !== null && !(field.matches("[type=search]") && LEAVES_FIELD.has(event.key))) return;
      event.preventDefault();
      run();
    };
    return listen(document, { keydown: onKey });
  }, []);
}
