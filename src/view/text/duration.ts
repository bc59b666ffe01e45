/** Durations and times of day in the words that all surfaces use. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (value: number): string => String(value).padStart(2, "0");

/** A duration in its two largest units: `0s`, `45s`, `2m 05s`, `1h 04m`, `3d 02h`. Rounded down; below nought is `0s`. */
export function durationText(ms: number): string {
  const rest = Number.isFinite(ms) && ms > 0 ? ms : 0;
  if (rest < MINUTE) return `${Math.floor(rest / SECOND)}s`;
  if (rest < HOUR) return `${Math.floor(rest / MINUTE)}m ${two(Math.floor((rest % MINUTE) / SECOND))}s`;
  if (rest < DAY) return `${Math.floor(rest / HOUR)}h ${two(Math.floor((rest % HOUR) / MINUTE))}m`;
  return `${Math.floor(rest / DAY)}d ${two(Math.floor((rest % DAY) / HOUR))}h`;
}

/** A time that is only foreseen, to the minute: `under 1m`, `37m`, `1h 28m`, `3d 02h`. */
export function aboutText(ms: number): string {
  return ms < MINUTE ? "under 1m" : durationText(ms).replace(/m \d\ds$/, "m");
}

/** Whose clock times of day are told by: the reader's own, or UTC. */
export type TimeZone = "local" | "utc";

/** The time of day of an ISO time: `12:01:05`; `--:--:--` for text that is no time. */
export function clockText(time: string, zone: TimeZone = "local"): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "--:--:--";
  if (zone === "utc") return date.toISOString().slice(11, 19);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The date and time of an ISO time: `2026-11-23 12:01:05`. */
export function dateText(time: string, zone: TimeZone = "local"): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "unknown";
  if (zone === "utc") return date.toISOString().slice(0, 19).replace("T", " ");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockText(time)}`;
}

/** The same in short: the time of day for a time of the day of `asOfMs` (epoch ms), else the date. */
export function shortDateText(time: string, asOfMs: number, zone: TimeZone = "local"): string {
  const [date = "", clock = ""] = dateText(time, zone).split(" ");
  return date === dateText(new Date(asOfMs).toISOString(), zone).split(" ")[0] ? clock : date;
}

/** A percentage as a whole number, rounded down, so that 100% means all of it; "unknown" when it is. */
export function percentText(percent: number | null): string {
  return percent === null ? "unknown" : `${Math.floor(percent)}%`;
}
