/** Text that is printed for programs, and what of it must not reach a terminal as it is. */

import type { Cli, Output } from "./context.ts";

/** What steers a terminal or reorders what is read, beside the C0 controls, which JSON escapes by itself. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

// eslint-disable-next-line no-control-regex -- as above; line ends and tabs are what text is made of
const UNSAFE_C0 = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\r(?!\n)/g;

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Prints a value as JSON, on one line or indented: the same value, with every unsafe character escaped. */
export function sayJson(cli: Cli, value: unknown, indent?: number): void {
  cli.stdout.write(`${jsonText(value, indent)}\n`);
}

/** The JSON text of a value, with every unsafe character escaped. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNSAFE, escaped);
}

/** Stored text as it is where programs read it; on a terminal with every unsafe character escaped. `chunk` holds whole characters. */
export function storedText(output: Output, chunk: string | Uint8Array): string | Uint8Array {
  if (output.isTTY !== true) return chunk;
  const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
  return text.replace(UNSAFE_C0, escaped).replace(UNSAFE, escaped);
}
