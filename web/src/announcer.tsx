/** Says what has changed to who cannot see it: politely, and not for every percent. */

import { signal } from "@preact/signals";
import type { ComponentChild } from "preact";

const said = signal("");

/** Says a sentence once. */
export function announce(text: string): void {
  // The same words again are said again.
  said.value = said.peek() === text ? `${text}\u00a0` : text;
}

export function Announcer(): ComponentChild {
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      {said}
    </div>
  );
}
