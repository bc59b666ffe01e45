/** Pictures, drawn once in index.html. They say nothing by themselves: the word or the name beside them does. */

import type { ComponentChild } from "preact";

/** What index.html has a picture of, beside the signs of statuses. */
export type IconName =
  | "back"
  | "bell"
  | "close"
  | "copy"
  | "fold"
  | "mark-back"
  | "mark-on"
  | "milepost"
  | "on"
  | "pause"
  | "play"
  | "search"
  | "settings"
  | "share";

export interface IconProps {
  readonly name: IconName | `sign-${string}`;
  readonly class?: string;
}

/** It takes the colour of what it stands in. */
export function Icon({ name, class: look = "icon" }: IconProps): ComponentChild {
  return (
    <svg class={look} aria-hidden="true">
      <use href={`#${name}`} />
    </svg>
  );
}
