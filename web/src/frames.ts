/** What changes faster than can be seen, shown once per frame. */

export interface Frames<Value> {
  /** Shows this value soon, or a newer one. */
  set(value: Value): void;
  cancel(): void;
}

/** A page that nobody looks at has no frames; its title and icon still say how far it is. */
const HIDDEN_MS = 1_000;

/**
 * Calls `show` with the newest value at most once per frame.
 *
 * @param pauseMs - the least time between two calls for such a value; 0 for every frame.
 */
export function frames<Value>(show: (value: Value) => void, pauseMs: (value: Value) => number): Frames<Value> {
  let waiting: { readonly value: Value } | undefined;
  let cancel: (() => void) | undefined;
  let shownAt = Number.NEGATIVE_INFINITY;
  const flush = (): void => {
    cancel = undefined;
    const next = waiting;
    waiting = undefined;
    if (next === undefined) return;
    shownAt = performance.now();
    show(next.value);
  };
  return {
    set: (value) => {
      waiting = { value };
      cancel ??= later(flush, Math.max(0, shownAt + pauseMs(value) - performance.now()));
    },
    cancel: () => {
      cancel?.();
      cancel = undefined;
      waiting = undefined;
    },
  };
}

function later(run: () => void, delayMs: number): () => void {
  const stops: (() => void)[] = [];
  const stop = (): void => stops.forEach((each) => each());
  const once = (): void => {
    stop();
    run();
  };
  const pause = setTimeout(() => {
    const frame = requestAnimationFrame(once);
    stops.push(() => cancelAnimationFrame(frame));
  }, delayMs);
  // The page may be hidden while the frame is waited for.
  const late = setTimeout(once, delayMs + HIDDEN_MS);
  stops.push(
    () => clearTimeout(pause),
    () => clearTimeout(late),
  );
  return stop;
}
