/** Instead of an upgrade, while there is none to show. */

import type { ComponentChild } from "preact";

import { safeText } from "../../../src/view/text/safe-text.ts";
import { Trouble } from "../trouble.tsx";
import type { UpgradeStore } from "../upgrade-store.ts";

export function NoUpgrade({ store }: { readonly store: UpgradeStore }): ComponentChild {
  const { code, reason } = store.connection.value;
  if (code === "UNKNOWN_UPGRADE") {
    return (
      <div class="message">
        <h1>No upgrade {safeText(store.upgradeId)} is here</h1>
        <p>It may have another name, be in another storage, or not be yours to see.</p>
        <a class="button" href="/">
          All upgrades
        </a>
      </div>
    );
  }
  if (code !== null) return <Trouble code={code} reason={reason} />;
  return (
    <div class="message" aria-busy="true">
      <h1 class="soft">Reading {safeText(store.upgradeId)} …</h1>
      {reason !== null && <p>{reason}</p>}
    </div>
  );
}
