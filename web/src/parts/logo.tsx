/** The milestone with its mark. */

import type { ComponentChild } from "preact";

export function Logo(): ComponentChild {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true">
      <path
        d="M4 18V8.5a6 6 0 0 1 12 0V18"
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
      />
      <path d="M2 18h16" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" />
      <path
        d="m7.2 10 2.1 2.2 3.7-4"
        fill="none"
        stroke="var(--active)"
        stroke-width="1.8"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
