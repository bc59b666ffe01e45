/** The signs of statuses and states as shapes: drawn, because a font that lacks one would show a box instead. */

import type { ComponentChild, JSX } from "preact";

const STROKE = { fill: "none", stroke: "currentColor", "stroke-width": 1.75, "stroke-linecap": "round" } as const;
const ring = <circle cx="8" cy="8" r="6.25" {...STROKE} />;

/** By the sign that the view gives (src/view/text/status-words.ts, connection-words.ts, attention.ts). */
const SHAPES: Readonly<Record<string, JSX.Element>> = {
  "✓": (
    <>
      <circle cx="8" cy="8" r="7.25" fill="currentColor" />
      <path d="m4.8 8.2 2.2 2.3 4.3-4.7" fill="none" class="glyph-cut" />
    </>
  ),
  "●": (
    <>
      {ring}
      <circle cx="8" cy="8" r="3.25" fill="currentColor" />
    </>
  ),
  "◌": <circle cx="8" cy="8" r="6.25" {...STROKE} stroke-dasharray="2.4 2.5" />,
  "◐": (
    <>
      {ring}
      <path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z" fill="currentColor" />
    </>
  ),
  "◍": (
    <>
      {ring}
      <path d="M8 4.5V8l2.4 1.6" {...STROKE} />
    </>
  ),
  "‖": (
    <>
      {ring}
      <path d="M6.4 5.8v4.4M9.6 5.8v4.4" {...STROKE} />
    </>
  ),
  "✗": (
    <>
      <path d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z" fill="currentColor" />
      <path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" fill="none" class="glyph-cut" />
    </>
  ),
  "⊘": (
    <>
      {ring}
      <path d="m3.8 12.2 8.4-8.4" {...STROKE} />
    </>
  ),
  "–": (
    <>
      {ring}
      <path d="M5.4 8h5.2" {...STROKE} />
    </>
  ),
  "○": ring,
  "!": (
    <>
      <path d="M8 1.2 15.3 14H.7z" fill="currentColor" stroke="currentColor" stroke-width="1" stroke-linejoin="round" />
      <path d="M8 5.8v4M8 12v.1" fill="none" class="glyph-cut" />
    </>
  ),
  i: (
    <>
      {ring}
      <path d="M8 7.4v3.6M8 4.9V5" {...STROKE} />
    </>
  ),
};

export interface GlyphProps {
  readonly glyph: string;
  /** Turns slowly, as what goes on does. */
  readonly isMoving?: boolean;
}

/** A sign. It takes the colour of the tone it stands in, and says nothing to a screen reader: the word beside it does. */
export function Glyph({ glyph, isMoving = false }: GlyphProps): ComponentChild {
  const shape = SHAPES[glyph];
  if (shape === undefined) {
    return (
      <span class="glyph" aria-hidden="true">
        {glyph}
      </span>
    );
  }
  return (
    <svg class={`glyph ${isMoving ? "glyph-moving" : ""}`} viewBox="0 0 16 16" aria-hidden="true">
      {shape}
    </svg>
  );
}
