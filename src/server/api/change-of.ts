/** Waiting for a log. */

import type { LiveLog } from "../../stream/live-log.ts";

/** Resolves when the log has changed, the time is over, or `ending` says so. */
export function changeOf(log: LiveLog, timeoutMs: number, ending: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop();
      ending.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    const stop = log.onChange(done);
    ending.addEventListener("abort", done);
    if (ending.aborted) done();
  });
}
