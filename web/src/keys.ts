/** Keys that work anywhere on a page. */

import { useEffect, useRef } from "preact/hooks";

/** Where letters are written and arrows have a meaning of their own. */
const FIELDS = "input, textarea, select, [role=slider], [role=tablist]";

/** What works in a search field, too. */
const LEAVES_FIELD: ReadonlySet<string> = new Set(["ArrowDown", "Escape"]);

/** Calls the function of a key, by its name as in `KeyboardEvent.key`, as long as the component is there. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const newest = useRef(keys);
  newest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const run = newest.current[event.key];
      if (run === undefined || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const field = event.target instanceof Element ? event.target.closest(FIELDS) : null;
      if (field !== null && !(field.matches("[type=search]") && LEAVES_FIELD.has(event.key))) return;
      event.preventDefault();
      run();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}
