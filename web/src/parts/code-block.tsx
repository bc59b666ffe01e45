/** Something to be typed elsewhere. */

import type { ComponentChild } from "preact";

import { CopyButton } from "./copy-button.tsx";

export interface CodeBlockProps {
  readonly text: string;
  /** What it is, as "the command". */
  readonly what: string;
}

export function CodeBlock({ text, what }: CodeBlockProps): ComponentChild {
  return (
    <div class="code">
      {/* It may be wider than the window, and is moved with the keys then. */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} what={what} />
    </div>
  );
}
