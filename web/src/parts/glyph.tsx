/** The signs of statuses and states as shapes: drawn, because a font that lacks one would show a box instead. */

import type { ComponentChild } from "preact";

import { Icon } from "./icon.tsx";

export interface GlyphProps {
  /** As the view gives it (src/view/text/status-words.ts, connection-words.ts, attention.ts). */
  readonly glyph: string;
  /** Turns slowly, as what goes on does. */
  readonly isMoving?: boolean;
}

/** A sign. It takes the colour of the tone it stands in, and says nothing to a screen reader: the word beside it does. */
export function Glyph({ glyph, isMoving = false }: GlyphProps): ComponentChild {
  return (
    <Icon name={`sign-${glyph.codePointAt(0)?.toString(16) ?? ""}`} class={isMoving ? "glyph glyph-moving" : "glyph"} />
  );
}
