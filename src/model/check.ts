/** Checks of single values. Each returns the value as it is kept, or throws a typed error that says what to do. */

import { MilepostError, shown } from "../errors.ts";

/** Limits of texts, in UTF-16 units; ids in UTF-8 bytes. */
export const TEXT_LIMITS = { idBytes: 255, name: 1024, message: 16_384, log: 65_536 } as const;

// eslint-disable-next-line no-control-regex -- ids hold no control characters, so this must name them
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const TASK_TYPE = /^[a-z][a-z0-9_.-]{0,63}$/;

/** An id: well-formed, non-empty, at most 255 UTF-8 bytes, no control characters. @throws INVALID_ID. */
export function checkId(value: unknown, field: string): string {
  if (typeof value !== "string" || value === "") {
    throw new MilepostError("INVALID_ID", `${field} must be non-empty text, not ${shown(value)}`);
  }
  if (!value.isWellFormed())
    throw new MilepostError(
      "INVALID_ID",
      `${field} ${shown(value)} holds half of a character pair; pass well-formed text`,
    );
  if (CONTROL.test(value))
    throw new MilepostError("INVALID_ID", `${field} ${shown(value)} holds a control character; remove it`);
  // A UTF-16 unit is at most three bytes.
  if (value.length * 3 > TEXT_LIMITS.idBytes && utf8Length(value) > TEXT_LIMITS.idBytes) {
    throw new MilepostError(
      "INVALID_ID",
      `${field} ${shown(value)} is longer than ${TEXT_LIMITS.idBytes} bytes; shorten it`,
    );
  }
  return value;
}

/** A character that is seen: neither white space nor one of those that take no place or are drawn as nothing. */
export const SEEN =
  /[^\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]/;

/** The id of what begins: one that can be seen, and so pressed and pointed at. Of what is there, {@link checkId}. @throws INVALID_ID. */
export function checkNewId(value: unknown, field: string): string {
  const id = checkId(value, field);
  if (SEEN.test(id)) return id;
  throw new MilepostError("INVALID_ID", `${field} ${shown(id)} shows nothing; choose one with letters or digits`);
}

const FINISHED_RUN = /@[1-9]\d{0,14}$/;

/** The id of an upgrade that is written: an id that does not look like the name of a finished run. @throws INVALID_ID. */
export function checkUpgradeId(value: unknown, field = "upgradeId"): string {
  const id = checkId(value, field);
  if (!FINISHED_RUN.test(id)) return id;
  throw new MilepostError(
    "INVALID_ID",
    `${field} ${shown(id)} ends as the name of a finished run does, <id>@<number>; choose another`,
  );
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Free text of at most `limit` units; half character pairs become U+FFFD. @throws INVALID_TEXT. */
export function checkText(value: unknown, field: string, limit: number): string {
  if (typeof value !== "string") throw new MilepostError("INVALID_TEXT", `${field} must be text, not ${shown(value)}`);
  if (value.length > limit) {
    throw new MilepostError(
      "INVALID_TEXT",
      `${field} has ${value.length} characters, more than ${limit}; shorten it or report a link`,
    );
  }
  return value.isWellFormed() ? value : value.toWellFormed();
}

/** A name: text that can be seen. @throws INVALID_TEXT. */
export function checkName(value: unknown, field: string): string {
  const text = checkText(value, field, TEXT_LIMITS.name);
  if (!SEEN.test(text)) throw new MilepostError("INVALID_TEXT", `${field} must not be empty; say what it is`);
  return text;
}

/** An optional message: undefined stays undefined. @throws INVALID_TEXT. */
export function checkMessage(value: unknown, field = "message"): string | undefined {
  return value === undefined ? undefined : checkText(value, field, TEXT_LIMITS.message);
}

/** A finite number from 0 to 100. @throws INVALID_PERCENT. */
export function checkPercentage(value: unknown): number {
  if (typeof value === "number" && value >= 0 && value <= 100) return value === 0 ? 0 : value;
  throw new MilepostError("INVALID_PERCENT", `percentage must be a number from 0 to 100, not ${shown(value)}`, {
    context: { value },
  });
}

/** A whole number from `least` up. @throws INVALID_ARGUMENT. */
export function checkCount(value: unknown, field: string, least: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value === 0 ? 0 : value;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `${field} must be a whole number of at least ${least}, not ${shown(value)}`,
  );
}

/** A finite number from 0 to `most`. @throws INVALID_ARGUMENT. */
export function checkNumber(value: unknown, field: string, most: number): number {
  if (typeof value === "number" && value >= 0 && value <= most) return value === 0 ? 0 : value;
  throw new MilepostError("INVALID_ARGUMENT", `${field} must be a number from 0 to ${most}, not ${shown(value)}`);
}

/** A task type: a lower-case word. @throws INVALID_ARGUMENT. */
export function checkTaskType(value: unknown): string {
  if (typeof value === "string" && TASK_TYPE.test(value)) return value;
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `taskType must be a lower-case word such as "upgrade_step", not ${shown(value)}`,
  );
}

/** One of `words`. @throws INVALID_ARGUMENT. */
export function checkWord<T extends string>(value: unknown, field: string, words: readonly T[]): T {
  if (typeof value === "string" && (words as readonly string[]).includes(value)) return value as T;
  throw new MilepostError("INVALID_ARGUMENT", `${field} must be one of ${words.join(", ")}, not ${shown(value)}`);
}

/** An object to read named fields from. @throws INVALID_ARGUMENT. */
export function checkObject(value: unknown, field: string): Readonly<Record<string, unknown>> {
  try {
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch {
    // A revoked Proxy throws at every question, also at this one.
  }
  throw new MilepostError("INVALID_ARGUMENT", `${field} must be an object, not ${shown(value)}`);
}

/** An array of objects. @throws INVALID_ARGUMENT. */
export function checkList<T extends object>(value: readonly T[], field: string): readonly T[] {
  const foreign: unknown = value;
  if (!Array.isArray(foreign))
    throw new MilepostError("INVALID_ARGUMENT", `${field} must be an array, not ${shown(value)}`);
  for (const [place, one] of foreign.entries()) checkObject(one, `${field}[${place}]`);
  return value;
}
