/** Text from outside made safe to show: nothing in it can move a cursor, change a colour, break a line or reorder what is read (X18). */

/**
 * C0, DEL and C1 controls; marks that reorder text (Arabic letter mark, LRM, RLM, embeddings, overrides, isolates); line and
 * paragraph separators, which some surfaces break lines at.
 */
// eslint-disable-next-line no-control-regex -- finding control characters is what this is for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** `text` with every control character shown as an escape such as `\x1b` or `\u202e`. Safe text comes back as it is. */
export function safeText(text: string): string {
  return text.toWellFormed().replace(UNSAFE, escape);
}

function escape(char: string): string {
  const code = char.charCodeAt(0);
  return (
    SHORT[char] ??
    (code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`)
  );
}
