/** The page for an address where nothing is. */

import type { ComponentChild } from "preact";

import { safeText } from "../../src/view/text/safe-text.ts";
import { usePageHead } from "./page-head.ts";
import { Shell } from "./shell.tsx";

export function NotFound({ path }: { readonly path: string }): ComponentChild {
  usePageHead({ title: "Nothing here", tone: "quiet" });
  return (
    <Shell>
      <div class="message">
        <h1>Nothing is here</h1>
        <p class="soft">
          The dashboard has no page at <code>{safeText(path)}</code>.
        </p>
        <a class="button" href="/">
          All upgrades
        </a>
      </div>
    </Shell>
  );
}
