/** What is typed on a terminal in raw mode, key by key. */

import { StringDecoder } from "node:string_decoder";

type KeyName =
  | "up"
  | "down"
  | "left"
  | "right"
  | "home"
  | "end"
  | "page-up"
  | "page-down"
  | "enter"
  | "escape"
  | "tab"
  | "backspace"
  | "clear"
  | "interrupt"
  | "suspend";

/** A key with a name of its own, or a character. */
export type Key = { readonly name: KeyName } | { readonly name: "char"; readonly char: string };

/** Reads keys out of what a terminal sends. */
export interface KeyReader {
  give(data: Buffer | string): void;
  /** Forgets what is half read. */
  close(): void;
}

/** An Escape alone is the key; what belongs to a sequence follows at once, also over a slow line. */
const ESCAPE_MS = 50;

const CONTROLS: Readonly<Record<string, KeyName>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x15": "clear",
  "\x03": "interrupt",
  "\x1c": "interrupt",
  "\x1a": "suspend",
};

/** By the end of the sequence: a letter, or a number before a tilde. Modifiers are not looked at. */
const SEQUENCES: Readonly<Record<string, KeyName>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  "1~": "home",
  "7~": "home",
  "4~": "end",
  "8~": "end",
  "5~": "page-up",
  "6~": "page-down",
};

/* eslint-disable no-control-regex -- control sequences are what is read */
const WHOLE = /^\x1b(?:\[([0-?]*)[ -/]*([@-~])|O([ -~]))/;
const PARTIAL = /^\x1b(?:\[[0-?]*[ -/]*|O)?$/;
/* eslint-enable no-control-regex */

export function keyReader(onKey: (key: Key) => void): KeyReader {
  const decoder = new StringDecoder("utf8");
  let text = "";
  let timer: NodeJS.Timeout | undefined;
  const giveUp = () => {
    // A sequence that never ends is none: only its Escape was a key.
    if (text === "\x1b") onKey({ name: "escape" });
    text = "";
  };
  return {
    give(data) {
      clearTimeout(timer);
      text += typeof data === "string" ? data : decoder.write(data);
      while (text !== "" && !PARTIAL.test(text)) text = text.slice(takeOne(text, onKey));
      if (text !== "") timer = setTimeout(giveUp, ESCAPE_MS);
    },
    close() {
      clearTimeout(timer);
      text = "";
    },
  };
}

/** Gives the first key of a text; returns how much of the text it took. */
function takeOne(text: string, onKey: (key: Key) => void): number {
  const sequence = WHOLE.exec(text);
  if (sequence !== null) {
    const [all, parameters = "", final = "", single] = sequence;
    const name = SEQUENCES[single ?? (final === "~" ? `${parameters.split(";")[0] ?? ""}~` : final)];
    if (name !== undefined) onKey({ name });
    return all.length;
  }
  const char = String.fromCodePoint(text.codePointAt(0) as number);
  if (char === "\x1b") onKey({ name: "escape" });
  else {
    const name = CONTROLS[char];
    if (name !== undefined) onKey({ name });
    else if (char >= " ") onKey({ name: "char", char });
  }
  return char.length;
}
