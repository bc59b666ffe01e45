/** JSON as data: the types, the copy that makes foreign values plain, and the canonical text used to compare states. */

import { MilepostError, shown } from "../errors.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Limits of `details`: an event stays small enough to be sent to everybody. */
export const PAYLOAD_LIMITS = { maxDepth: 32, maxKeys: 1000, maxBytes: 65_536 } as const;

interface Holder {
  readonly value: object;
  readonly depth: number;
  readonly within: Holder | undefined;
}

interface Copy {
  keys: number;
  bytes: number;
  /** The objects that hold the one that is being copied, from the inside out. */
  within: Holder | undefined;
  readonly isForbidden: (value: object) => boolean;
}

const refuse = (what: string, remedy: string): never => {
  throw new MilepostError("INVALID_PAYLOAD", `details ${what}; ${remedy}`);
};

/**
 * A plain, deeply frozen copy of `value`, which must be a plain object of JSON data. Nothing of the caller's is run:
 * accessors and `toJSON` are refused, not called.
 *
 * @param isForbidden - tells objects that must not be looked into at all (a Proxy, on Node).
 * @throws INVALID_PAYLOAD naming what is not JSON data, or the limit that is passed ({@link PAYLOAD_LIMITS}).
 */
export function copyDetails(value: unknown, isForbidden: (value: object) => boolean = () => false): JsonObject {
  const copy: Copy = { keys: 0, bytes: 0, within: undefined, isForbidden };
  if (typeof value === "object" && value !== null) {
    const plain = copyObject(value, copy);
    if (!Array.isArray(plain)) return plain as JsonObject;
  }
  return refuse(`must be an object, not ${shown(value)}`, "pass named values, e.g. { nodes: 3 }");
}

function copyValue(value: unknown, copy: Copy): JsonValue {
  switch (typeof value) {
    case "string":
      return copyText(value, copy);
    case "number":
      if (!Number.isFinite(value)) return refuse(`hold ${value}`, "JSON has no such number; use null or text");
      count(copy, String(value).length);
      return value === 0 ? 0 : value;
    case "boolean":
      count(copy, 5);
      return value;
    case "object":
      if (value !== null) return copyObject(value, copy);
      count(copy, 4);
      return null;
    default:
      return refuse(
        `hold ${typeof value === "bigint" ? `the BigInt ${value}` : shown(value)}`,
        "use numbers, text, booleans, null, arrays and objects",
      );
  }
}

function copyText(value: string, copy: Copy): string {
  if (value.length > PAYLOAD_LIMITS.maxBytes) count(copy, value.length);
  const text = value.toWellFormed();
  count(copy, jsonBytes(text));
  return text;
}

function copyObject(value: object, copy: Copy): JsonValue {
  if (copy.isForbidden(value)) return refuse("hold a Proxy", "pass a plain object");
  const { within } = copy;
  for (let holder = within; holder !== undefined; holder = holder.within)
    if (holder.value === value) return refuse("hold a cycle", "remove the reference from the object to itself");
  const depth = (within?.depth ?? 0) + 1;
  if (depth > PAYLOAD_LIMITS.maxDepth) {
    return refuse(`are nested deeper than ${PAYLOAD_LIMITS.maxDepth}`, "flatten them");
  }
  copy.within = { value, depth, within };
  count(copy, 2);
  const result = Array.isArray(value) ? copyArray(value, copy) : copyPlain(value, copy);
  copy.within = within;
  return Object.freeze(result);
}

function copyArray(value: readonly unknown[], copy: Copy): JsonValue {
  const result: JsonValue[] = [];
  for (let i = 0; i < value.length; i++) {
    if (i > 0) count(copy, 1);
    result.push(copyProperty(value, String(i), copy));
  }
  return result;
}

function copyPlain(value: object, copy: Copy): JsonObject {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return refuse(`hold a ${className(prototype as object, copy)}`, "convert it to text, numbers or a plain object");
  }
  const result: Record<string, JsonValue> = {};
  let separators = 1;
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed())
      return refuse(`hold the name ${shown(key)}, which has half of a character pair`, "pass well-formed names");
    count(copy, separators + jsonBytes(key));
    separators = 2;
    const copied = copyProperty(value, key, copy);
    // A key named `__proto__` is data like any other (X17); assigning it would set the prototype.
    if (key === "__proto__") Object.defineProperty(result, key, { value: copied, enumerable: true });
    else result[key] = copied;
  }
  return result;
}

/** The name of a class, read from descriptors, since an accessor would run the caller's code. */
function className(prototype: object, { isForbidden }: Copy): string {
  if (isForbidden(prototype)) return "class instance";
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof maker !== "function" || isForbidden(maker)) return "class instance";
  const name: unknown = Object.getOwnPropertyDescriptor(maker, "name")?.value;
  return typeof name === "string" && name !== "" ? shown(name).slice(1, -1) : "class instance";
}

function copyProperty(owner: object, key: string, copy: Copy): JsonValue {
  copy.keys += 1;
  if (copy.keys > PAYLOAD_LIMITS.maxKeys)
    return refuse(`hold more than ${PAYLOAD_LIMITS.maxKeys} values`, "report a summary");
  const descriptor = Object.getOwnPropertyDescriptor(owner, key);
  if (descriptor !== undefined && !("value" in descriptor))
    return refuse(`hold an accessor (${shown(key)})`, "pass its value");
  return copyValue(descriptor === undefined ? null : descriptor.value, copy);
}

function count(copy: Copy, bytes: number): void {
  copy.bytes += bytes;
  if (copy.bytes > PAYLOAD_LIMITS.maxBytes)
    refuse(`are larger than ${PAYLOAD_LIMITS.maxBytes} bytes`, "report a summary or a link");
}

/** The UTF-8 bytes of well-formed text as a JSON string, with its quotes. */
function jsonBytes(text: string): number {
  let bytes = 2;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20) bytes += unit >= 8 && unit <= 13 && unit !== 11 ? 2 : 6;
    else if (unit < 0x80) bytes += unit === 0x22 || unit === 0x5c ? 2 : 1;
    else bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}

/** JSON text with object keys in code-unit order: equal values give equal text, whatever order they were built in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    const sorted: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(inner).sort()) sorted[key] = (inner as Record<string, unknown>)[key];
    return sorted;
  });
}
