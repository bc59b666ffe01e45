/** Events of the browser, heard until someone has heard enough. */

import { useLayoutEffect } from "preact/hooks";

type Events = WindowEventMap & DocumentEventMap;
type Listeners = { readonly [Type in keyof Events]?: (event: Events[Type]) => void };

/** Hears events by their names. Returns what ends it. */
export function listen(target: EventTarget, listeners: Listeners): () => void {
  const ending = new AbortController();
  for (const [type, listener] of Object.entries(listeners))
    target.addEventListener(type, listener as EventListener, { signal: ending.signal });
  return () => ending.abort();
}

/** The innermost element of this kind that an event is in; null for none. */
export function closest({ target }: Event, selector: string): Element | null {
  return target instanceof Element ? target.closest(selector) : null;
}

/** Calls `measure` with the element before it is drawn, whenever it has another size, and when `deps` are others. */
export function useSize(
  box: { readonly current: HTMLElement | null },
  measure: (element: HTMLElement) => void,
  deps: readonly unknown[] = [],
): void {
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = (): void => measure(element);
    look();
    const resized = new ResizeObserver(look);
    resized.observe(element);
    return () => resized.disconnect();
  }, deps);
}
