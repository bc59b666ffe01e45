/** The time by the server's clock, ticking once a second: a laptop's own clock may be minutes off, and then nothing would be true. */

import { signal, type ReadonlySignal } from "@preact/signals";

import { listen } from "./listen.ts";

const ticking = signal(Date.now());
let aheadMs = 0;

/** Wall time (epoch ms) as the server has it, as of this second. */
export const now: ReadonlySignal<number> = ticking;

/** Wall time (epoch ms) as the server has it, exactly. */
export function wallMs(): number {
  return Date.now() - aheadMs;
}

/** Differences below this are the network's. */
const TOLERANCE_MS = 2_000;

/** Asks the server what time it is. Without an answer this machine's clock is believed. */
async function askTime(): Promise<void> {
  const asked = Date.now();
  const answer = await fetch("/healthz", { method: "HEAD", cache: "no-store" }).catch(() => undefined);
  const serverMs = Date.parse(answer?.headers.get("date") ?? "");
  const answered = Date.now();
  if (Number.isNaN(serverMs) || answered - asked > TOLERANCE_MS) return;
  // The header has whole seconds.
  const difference = (asked + answered) / 2 - (serverMs + 500);
  aheadMs = Math.abs(difference) < TOLERANCE_MS ? 0 : Math.round(difference);
  tick();
}

function tick(): void {
  ticking.value = wallMs();
}

/** Starts the ticking, at the full second. Returns what stops it. */
export function startClock(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = (): void => {
    tick();
    timer = setTimeout(next, 1000 - (wallMs() % 1000));
  };
  const look = (): void => {
    tick();
    if (!document.hidden) void askTime();
  };
  next();
  look();
  const deaf = listen(document, { visibilitychange: look });
  return () => {
    clearTimeout(timer);
    deaf();
  };
}
