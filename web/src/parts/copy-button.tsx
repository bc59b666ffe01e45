/** Copies a text. */

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";

import { announce } from "../announcer.tsx";
import { Icon } from "./icon.tsx";

export interface CopyButtonProps {
  readonly text: string;
  /** What is copied, as "the command". */
  readonly what: string;
}

export function CopyButton({ text, what }: CopyButtonProps): ComponentChild {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(`${what} copied`);
      setTimeout(() => setCopied(false), 2_000);
    } catch {
      announce(`${what} could not be copied: this browser does not allow it here`);
    }
  };
  return (
    <button type="button" class="button button-bare" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      {isCopied ? "Copied" : <Icon name="copy" />}
    </button>
  );
}
