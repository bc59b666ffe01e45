/**
 * A detail made to fit: its longest texts are cut, all to one length, the longest that fits. What is cut ends with a mark, and
 * `metadata.cutFromBytes` tells how much there was; `metadata.cursor` tells where the log has the whole.
 */

import type { JsonObject, JsonValue } from "../../model/json.ts";

export const CUT_MARK = "… [cut]";

/** Texts of a detail that name things: half a name is none. They are short. */
const NAMES: ReadonlySet<string> = new Set([
  "id",
  "type",
  "time",
  "cursor",
  "upgradeId",
  "planId",
  "clusterName",
  "taskId",
  "insightId",
  "status",
  "metadata",
]);
/** What is left of a detail that is large by the number of its values. */
const ESSENTIALS: ReadonlySet<string> = new Set([...NAMES, "seq", "ms", "percentage", "phase", "health", "message"]);
const SHORTEST_BYTES = 64;

export function jsonBytes(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The detail as JSON text of at most `maxBytes` bytes in UTF-8; undefined if not even its names fit. */
export function fittingJson(detail: JsonObject, maxBytes: number): string | undefined {
  const whole = JSON.stringify(detail);
  const bytes = Buffer.byteLength(whole);
  if (bytes <= maxBytes) return whole;
  const { metadata, ...rest } = detail;
  const marked = { ...rest, metadata: { ...(metadata as JsonObject), cutFromBytes: bytes } };
  return longestCut(marked, maxBytes) ?? longestCut(essentials(marked), maxBytes);
}

function longestCut(detail: JsonObject, maxBytes: number): string | undefined {
  const cutAt = (limit: number): string => JSON.stringify(cutTexts(detail, limit));
  const fits = (json: string): boolean => Buffer.byteLength(json) <= maxBytes;
  let best: string | undefined;
  let [low, high] = [SHORTEST_BYTES, maxBytes];
  while (low <= high) {
    const limit = (low + high) >> 1;
    const json = cutAt(limit);
    if (fits(json)) [best, low] = [json, limit + 1];
    else high = limit - 1;
  }
  return best;
}

function essentials(detail: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(detail).filter(([key]) => ESSENTIALS.has(key)));
}

/** A copy in which no text but a name takes more than `limit` bytes of JSON. */
function cutTexts(detail: JsonObject, limit: number): JsonObject {
  return mapValues(detail, (value, key) => (NAMES.has(key) ? value : cutValue(value, limit)));
}

function cutValue(value: JsonValue, limit: number): JsonValue {
  if (typeof value === "string") return cutText(value, limit);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((one) => cutValue(one, limit));
  if (typeof value === "object" && value !== null) return mapValues(value as JsonObject, (one) => cutValue(one, limit));
  return value;
}

function mapValues(object: JsonObject, map: (value: JsonValue, key: string) => JsonValue): JsonObject {
  // Entries and not assignments: a key named `__proto__` is data.
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]));
}

/** Made when it is first needed: it takes milliseconds. */
let segmenter: Intl.Segmenter | undefined;
const charactersOf = (text: string): Intl.Segments => (segmenter ??= new Intl.Segmenter()).segment(text);

/** Text of at most `limit` bytes of JSON, cut between characters as people see them. */
export function cutText(text: string, limit: number): string {
  // A UTF-16 unit takes from one byte to the six of an escape.
  if (text.length * 6 + 2 <= limit || jsonBytes(text) <= limit) return text;
  const room = limit - jsonBytes(CUT_MARK);
  let bytes = 0;
  let end = 0;
  for (const char of text) {
    bytes += charBytes(char.codePointAt(0) as number);
    if (bytes > room) break;
    end += char.length;
  }
  const cut = charactersOf(text).containing(end)?.index ?? end;
  return text.slice(0, cut) + CUT_MARK;
}

const SHORT_ESCAPES = '"\\\b\f\n\r\t';

/** The bytes of one code point in a JSON text; of half a character pair, those of its escape. */
function charBytes(code: number): number {
  if (code < 0x80) return SHORT_ESCAPES.includes(String.fromCharCode(code)) ? 2 : code < 0x20 ? 6 : 1;
  if (code < 0x800) return 2;
  if (code >= 0xd800 && code <= 0xdfff) return 6;
  return code < 0x10000 ? 3 : 4;
}
