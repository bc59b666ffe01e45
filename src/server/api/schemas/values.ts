/** Schemas of single values, as `model/check.ts` checks them. What JSON Schema cannot say is refined. */

import { z } from "zod";

import { SEEN, TEXT_LIMITS } from "../../../model/check.ts";
import { copyDetails, type JsonObject } from "../../../model/json.ts";

/** The schemas that the documents name, each by its `id`. */
export const named = z.registry<{ readonly id: string; readonly description?: string }>();

// eslint-disable-next-line no-control-regex -- ids hold no control characters, so this must name them
const NO_CONTROL = /^[^\u0000-\u001f\u007f-\u009f]*$/;
const utf8 = new TextEncoder();

/** An id: see `checkId`. */
export const id = z
  .string()
  .min(1)
  .max(TEXT_LIMITS.idBytes)
  .regex(NO_CONTROL)
  .refine((text) => text.isWellFormed() && utf8.encode(text).length <= TEXT_LIMITS.idBytes)
  .describe(`Well-formed text of 1 to ${TEXT_LIMITS.idBytes} UTF-8 bytes without control characters`);

/** The id of what begins: see `checkNewId`. */
export const newId = id.regex(SEEN);

/** Text that can be seen: see `checkName`. */
export const name = z.string().max(TEXT_LIMITS.name).regex(SEEN);

/** Free text: see `checkText`. */
export const text = (limit: number = TEXT_LIMITS.message) => z.string().max(limit);

/** A number from 0 to `most`. */
export const upTo = (most: number) => z.number().min(0).max(most);

/** A whole number from `least` up. */
export const count = (least: number) => z.int().min(least);

/** Wall time, ISO 8601. */
export const time = z.string().meta({ format: "date-time" });

/** Wall time as it is told; null for what has none. */
export function isoTime(epochMs: number): string;
export function isoTime(epochMs: number | null): string | null;
export function isoTime(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}

/** Details as a caller gives them: see `copyDetails`. */
export const detailsInput = z
  .custom<JsonObject>((value) => {
    try {
      copyDetails(value);
      return true;
    } catch {
      return false;
    }
  })
  .meta({
    type: "object",
    additionalProperties: true,
    description: "Plain JSON data: at most 64 KiB, 1,000 values and a depth of 32",
  });

/** Details as they are stored. */
export const details = z.custom<JsonObject>().meta({ type: "object", additionalProperties: true });
