/** How far something is. */

import type { ComponentChild } from "preact";

import { percentText } from "../../../src/view/text/duration.ts";
import type { Tone } from "../../../src/view/text/status-words.ts";

export interface BarProps {
  /** 0 to 100; null when nobody knows. */
  readonly percent: number | null;
  readonly tone: Tone;
  /** What it is that is so far, for who cannot see it. */
  readonly label: string;
  readonly isLarge?: boolean;
}

export function Bar({ percent, tone, label, isLarge = false }: BarProps): ComponentChild {
  return (
    <div
      class={`bar tone-${tone} ${isLarge ? "bar-large" : ""} ${percent === null ? "bar-unknown" : ""}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent === null ? undefined : Math.floor(percent)}
      aria-valuetext={percentText(percent)}
    >
      <div class="bar-filled" style={{ "--done": percent === null ? "1" : String(percent / 100) }} />
    </div>
  );
}
