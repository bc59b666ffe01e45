/** JSON as it is printed: the same values, with every character escaped that could steer a terminal or reorder what is read. */

// eslint-disable-next-line no-control-regex -- finding control characters is what this is for
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The JSON text of a value. `JSON.stringify` escapes C0 controls only. */
export function jsonText(value: unknown, indent?: number): string {
  return escapeUnsafe(JSON.stringify(value, null, indent));
}

/** JSON text with what is unsafe in its strings escaped; it is the same JSON. Between strings nothing of it can stand. */
export function escapeUnsafe(json: string): string {
  return json.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
