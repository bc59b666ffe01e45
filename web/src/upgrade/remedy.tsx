/** What to do about something, to be copied into a terminal. */

import type { ComponentChild } from "preact";

import { CopyButton } from "../parts/copy-button.tsx";
import "../style/remedy.css";

export function Remedy({ remedy }: { readonly remedy: string }): ComponentChild {
  return (
    <div class="remedy">
      <span class="remedy-title">To do</span>
      <div class="code">
        <pre tabIndex={0} aria-label={`To do: ${remedy}`}>
          {remedy}
        </pre>
        <CopyButton text={remedy} what="what to do" />
      </div>
    </div>
  );
}
