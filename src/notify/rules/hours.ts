/** Hours of the day in a time zone. */

import { MilepostError, shown } from "../../errors.ts";

/** From one time of day to another, over midnight when `to` is the earlier one. */
export interface Hours {
  /** `HH:MM`. */
  readonly from: string;
  readonly to: string;
  /** An IANA name, such as `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string;
}

const DAY_MINUTES = 1_440;
const MINUTE = 60_000;
const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** @param epochMs - wall time, milliseconds since 1970. @throws INVALID_ARGUMENT when the hours are none. */
export function isWithin(hours: Hours, epochMs: number): boolean {
  const [from, to] = [minutesOf(hours.from), minutesOf(hours.to)];
  const now = localMinutes(hours, epochMs);
  return from <= to ? now >= from && now < to : now >= from || now < to;
}

/** The moment at which the hours that hold `epochMs` end. */
export function localEnd(hours: Hours, epochMs: number): number {
  const to = minutesOf(hours.to);
  const minute = Math.floor(epochMs / MINUTE) * MINUTE;
  const end = minute + wrapped(to - localMinutes(hours, minute), 0) * MINUTE;
  // A change to or from summer time on the way moves it.
  return end + wrapped(to - localMinutes(hours, end), -DAY_MINUTES / 2) * MINUTE;
}

/** The same minute of the day, from `least` on. */
const wrapped = (minutes: number, least: number): number =>
  ((((minutes - least) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES) + least;

function minutesOf(time: string): number {
  const [, hours, minutes] = TIME.exec(time) ?? [];
  if (hours === undefined) throw new MilepostError("INVALID_ARGUMENT", `hours are HH:MM, not ${shown(time)}`);
  return Number(hours) * 60 + Number(minutes);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function localMinutes({ timeZone = "UTC" }: Hours, epochMs: number): number {
  return minutesOf(formatFor(timeZone).format(epochMs));
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    } catch (cause) {
      throw new MilepostError(
        "INVALID_ARGUMENT",
        `there is no time zone ${shown(timeZone)}; name one as Europe/Berlin`,
        {
          cause,
        },
      );
    }
    formats.set(timeZone, format);
  }
  return format;
}
