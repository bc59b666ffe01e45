/** Pictures on buttons. They say nothing by themselves: the button has a name. */

import type { ComponentChild } from "preact";

const PATHS = {
  close: "M4.5 4.5l9 9m0-9l-9 9",
  settings: "M2.5 5.5h7m4 0h2M2.5 12.5h2m4 0h7M11.5 3.5v4M6.5 10.5v4",
  search: "M8 13a5 5 0 1 0 0-10 5 5 0 0 0 0 10zm3.6-1.4 3.9 3.9",
  copy: "M6.5 6.5h8v8h-8zM11.5 6.5v-3h-8v8h3",
  share: "M10.5 3.5h4v4m0-4-6 6M12.5 10.5v4h-9v-9h4",
  bell: "M4.5 12.5c1-1 1-2.5 1-4.5a3.5 3.5 0 0 1 7 0c0 2 0 3.5 1 4.500zm3 2.5h3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): ComponentChild {
  return (
    <svg class="icon" viewBox="0 0 18 18" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
