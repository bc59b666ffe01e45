/** Loaded into a process before its program (`--import`): tells its parent, when asked, how it fares. */

/** Since the question before. */
export interface Fare {
  /** The longest that the event loop was kept from turning by work: processor time, so that a busy machine does not count. */
  readonly longestTurnMs: number;
  /** The latest that a timer was, whatever the reason. */
  readonly latestMs: number;
  readonly rssBytes: number;
  /** Processor time of the event loop, from the beginning. */
  readonly workedMs: number;
}

const EVERY_MS = 5;

const workedMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e3;
};

let [longestTurnMs, latestMs] = [0, 0];
let [worked, at] = [workedMs(), performance.now()];
setInterval(() => {
  const [workedNow, now] = [workedMs(), performance.now()];
  longestTurnMs = Math.max(longestTurnMs, workedNow - worked);
  latestMs = Math.max(latestMs, now - at - EVERY_MS);
  [worked, at] = [workedNow, now];
}, EVERY_MS).unref();

process.on("message", () => {
  const fare: Fare = { longestTurnMs, latestMs, rssBytes: process.memoryUsage.rss(), workedMs: workedMs() };
  longestTurnMs = latestMs = 0;
  process.send?.(fare);
});
// Being asked is no reason to live.
process.channel?.unref();
