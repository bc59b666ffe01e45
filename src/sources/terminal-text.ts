/**
 * What a terminal would show of a stream of bytes, as lines: UTF-8 decoded, control sequences taken out, redraws told apart.
 *
 * A state machine over chunks. A character, a sequence or a line may be split at any byte, and memory stays bounded whatever
 * comes: a line is kept up to `maxLine` characters, a sequence up to `MAX_SEQUENCE`. What a full-screen program draws on the
 * alternate screen is no output to read and is left out.
 */

import type { LineKind } from "./observation.ts";

/** Receives what was read, in order. */
export interface TextHandler {
  line(text: string, kind: LineKind): void;
  /** The body of an OSC sequence, without introducer and terminator. */
  control(body: string): void;
}

export interface TerminalText {
  push(chunk: Uint8Array): void;
  /** Some bytes of the stream are not given: the line and the sequence that they were in are left out, to the next newline. */
  skip(): void;
  /** Gives the line that has begun and has not ended, if it changed since this was last asked. */
  peek(): void;
  /** Gives what is left as a last line. */
  end(): void;
}

type State = "text" | "escape" | "charset" | "csi" | "osc" | "oscEscape" | "string";

/** A line longer than this is cut; what was left out is told by the ellipsis at its end. */
const MAX_LINE = 4096;
const MAX_SEQUENCE = 256;
/** An unterminated string sequence (DCS, APC …) ends here, so that it cannot swallow all that follows. */
const MAX_STRING = 1 << 20;

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
// eslint-disable-next-line no-control-regex -- as above
const STRING_END = /[\u0007\u0018\u001a\u001b\u009c\n]/g;

/** Reads a stream for `handler`. */
export function terminalText(handler: TextHandler): TerminalText {
  const reader = new Reader(handler);
  const decoder = new TextDecoder("utf-8");
  return {
    push: (chunk) => reader.read(decoder.decode(chunk, { stream: true })),
    skip: () => {
      decoder.decode();
      reader.skip();
    },
    peek: () => reader.peek(),
    end: () => {
      reader.read(decoder.decode());
      reader.end();
    },
  };
}

class Reader {
  readonly #handler: TextHandler;
  #state: State = "text";
  #line = "";
  #isCut = false;
  /** After a carriage return: the line stands, and the next character begins to draw over it. */
  #isReturned = false;
  #peeked = "";
  #sequence = "";
  #stringLength = 0;
  #isAlternate = false;
  /** Up to the next newline, after bytes that were not given. */
  #isSkipping = false;
  /** Lines below the cursor after it went up: they were told before and are drawn again. */
  #repainting = 0;

  constructor(handler: TextHandler) {
    this.#handler = handler;
  }

  read(text: string): void {
    let at = 0;
    while (at < text.length) {
      if (this.#state === "text") at = this.#readText(text, at);
      else if (this.#state === "osc" || this.#state === "string") at = this.#readString(text, at);
      else this.#readSequence(text.charAt(at++));
    }
  }

  skip(): void {
    this.#ground();
    this.#line = "";
    this.#isCut = false;
    this.#isReturned = false;
    this.#isSkipping = true;
  }

  #readText(text: string, from: number): number {
    CONTROL.lastIndex = from;
    const at = CONTROL.exec(text)?.index ?? text.length;
    if (at > from) this.#write(text, from, at);
    if (at < text.length) this.#control(text.charAt(at));
    return at + 1;
  }

  #write(text: string, from: number, to: number): void {
    if (this.#isAlternate || this.#isSkipping) return;
    if (this.#isReturned) this.#redraw();
    const room = MAX_LINE - this.#line.length;
    if (to - from > room) this.#isCut = true;
    if (room > 0) this.#line += text.slice(from, Math.min(to, from + room));
  }

  #control(char: string): void {
    switch (char) {
      case "\n":
        return this.#newline();
      case "\r":
        this.#isReturned = true;
        return;
      case "\b":
        this.#line = this.#line.slice(0, -1);
        return;
      case "\t":
        return this.#write(" ", 0, 1);
      case "\u001b":
        this.#state = "escape";
        return;
      default:
        return;
    }
  }

  #readSequence(char: string): void {
    if (char === "\u0018" || char === "\u001a") return this.#ground();
    if (this.#state === "oscEscape") return this.#endOsc(char);
    if (char === "\u001b") return this.#enter("escape");
    if (this.#state === "escape") return this.#escape(char);
    if (this.#state === "charset") return this.#ground();
    // In a CSI the final byte ends it; control characters take effect at once, as in a terminal.
    if (char < " ") return this.#control(char);
    if (char >= "@" && char <= "~") {
      const parameters = this.#sequence;
      this.#ground();
      return this.#csi(parameters, char);
    }
    if (this.#sequence.length < MAX_SEQUENCE) this.#sequence += char;
  }

  #escape(char: string): void {
    if (char === "[") return this.#enter("csi");
    if (char === "]") return this.#enter("osc");
    if (char === "P" || char === "X" || char === "^" || char === "_") return this.#enter("string");
    if (char >= " " && char <= "/") return this.#enter("charset");
    this.#ground();
    if (char < " ") this.#control(char);
    // Reverse index and the restored cursor go back over what stands there.
    if (char === "M" || char === "8") this.#redraw();
  }

  #enter(state: State): void {
    this.#state = state;
    this.#sequence = "";
    this.#stringLength = 0;
  }

  #ground(): void {
    this.#enter("text");
  }

  #readString(text: string, from: number): number {
    STRING_END.lastIndex = from;
    const at = STRING_END.exec(text)?.index ?? text.length;
    this.#stringLength += at - from;
    const room = MAX_SEQUENCE - this.#sequence.length;
    if (this.#state === "osc" && room > 0) this.#sequence += text.slice(from, Math.min(at, from + room));
    if (at === text.length) {
      if (this.#stringLength > MAX_STRING) this.#ground();
      return at;
    }
    return this.#endString(text.charAt(at), at);
  }

  /** BEL and ST end a string; CAN and SUB cancel it; a newline cancels an OSC, which has none, so that an unended one ends there. */
  #endString(char: string, at: number): number {
    const isOsc = this.#state === "osc";
    if (char === "\n" && !isOsc) return at + 1;
    if (char === "\u001b") {
      this.#state = isOsc ? "oscEscape" : "escape";
      return at + 1;
    }
    if (isOsc && (char === "\u0007" || char === "\u009c")) this.#tellControl();
    this.#ground();
    return char === "\n" ? at : at + 1;
  }

  /** After an ESC in an OSC: with a backslash it is ST, anything else cancels the OSC and begins a sequence of its own. */
  #endOsc(char: string): void {
    if (char === "\\") {
      this.#tellControl();
      return this.#ground();
    }
    this.#enter("escape");
    this.#readSequence(char);
  }

  #tellControl(): void {
    if (this.#stringLength <= MAX_SEQUENCE) this.#handler.control(this.#sequence);
  }

  #csi(parameters: string, final: string): void {
    const count = Math.max(1, Number.parseInt(parameters, 10) || 1);
    switch (final) {
      case "h":
      case "l":
        if (/^\?(47|1047|1049)$/.test(parameters)) this.#alternate(final === "h");
        return;
      case "A":
      case "F":
        this.#redraw();
        this.#repainting = Math.min(this.#repainting + count, 1000);
        return;
      case "B":
      case "E":
        this.#repainting = Math.max(0, this.#repainting - count);
        return;
      case "C":
        return this.#write(" ", 0, 1);
      case "G":
        if (count === 1) this.#isReturned = true;
        return;
      case "K":
        // Erased as a whole, the line begins anew; erased from the cursor on, only what an older text left over is gone.
        if (parameters === "1" || parameters === "2" || this.#isReturned) this.#redraw();
        return;
      case "H":
      case "f":
      case "J":
      case "d":
        return this.#redraw();
      default:
        return;
    }
  }

  #alternate(isAlternate: boolean): void {
    if (isAlternate) this.#redraw();
    this.#isAlternate = isAlternate;
  }

  #newline(): void {
    if (this.#isAlternate) return;
    if (this.#isSkipping) {
      this.#isSkipping = false;
      return;
    }
    const isRepaint = this.#repainting > 0;
    if (isRepaint) this.#repainting -= 1;
    this.#tell(isRepaint ? "redraw" : "line");
  }

  #redraw(): void {
    if (this.#line !== "") this.#tell("redraw");
    this.#isReturned = false;
  }

  #tell(kind: LineKind): void {
    const text = this.#isCut ? `${this.#line}…` : this.#line;
    this.#line = "";
    this.#peeked = "";
    this.#isCut = false;
    this.#isReturned = false;
    this.#handler.line(text, kind);
  }

  peek(): void {
    if (this.#line === this.#peeked) return;
    this.#peeked = this.#line;
    this.#handler.line(this.#line, this.#isReturned ? "redraw" : "partial");
  }

  end(): void {
    if (this.#line !== "") this.#tell("line");
  }
}
