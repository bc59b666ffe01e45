/** A status as sign and word, in its tone. */

import type { ComponentChild } from "preact";

import type { Tone } from "../../../src/view/text/status-words.ts";
import { Glyph } from "./glyph.tsx";

export interface StatusMarkProps {
  readonly tone: Tone;
  readonly glyph: string;
  readonly word: string;
  /** `pill` puts it on a ground of its tone; `glyph` shows the sign alone, and says the word to who cannot see it. */
  readonly look?: "plain" | "pill" | "glyph";
  readonly isMoving?: boolean;
}

export function StatusMark({ tone, glyph, word, look = "plain", isMoving = false }: StatusMarkProps): ComponentChild {
  return (
    <span class={`${look === "pill" ? "pill" : "mark"} tone-${tone}`} title={look === "glyph" ? word : undefined}>
      <Glyph glyph={glyph} isMoving={isMoving} />
      <span class={look === "glyph" ? "visually-hidden" : undefined}>{word}</span>
    </span>
  );
}
