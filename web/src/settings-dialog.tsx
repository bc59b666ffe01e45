/** What a reader can choose, and the keys there are. */

import type { ComponentChild } from "preact";

import { safeText } from "../../src/view/text/safe-text.ts";
import { Choice } from "./parts/choice.tsx";
import { Dialog } from "./parts/dialog.tsx";
import { session, signOut } from "./session.ts";
import { settings } from "./settings.ts";

/** Keys and what they do. */
const KEYS: readonly (readonly [key: string, what: string])[] = [
  ["/", "search"],
  ["↑ ↓", "previous, next row"],
  ["Enter", "open"],
  ["Esc", "leave the search, close a dialog"],
];

export function SettingsDialog({ onClose }: { readonly onClose: () => void }): ComponentChild {
  const { subject, isShared } = session.value;
  return (
    <Dialog title="Settings" onClose={onClose}>
      <Choice
        label="Theme"
        options={{ auto: "As the system", light: "Light", dark: "Dark" }}
        value={settings.theme.value}
        onChange={(theme) => (settings.theme.value = theme)}
      />
      <Choice
        label="Times"
        options={{ local: "This place", utc: "UTC" }}
        value={settings.zone.value}
        onChange={(zone) => (settings.zone.value = zone)}
      />
      {subject !== null && (
        <section class="settings-who">
          <p>
            {isShared ? "Here by a share link" : "Signed in as"} {!isShared && <strong>{safeText(subject)}</strong>}
          </p>
          <button type="button" class="button" onClick={() => void signOut()}>
            Sign out
          </button>
        </section>
      )}
      <section>
        <h3>Keys</h3>
        <dl class="keys">
          {KEYS.map(([key, what]) => (
            <>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{what}</dd>
            </>
          ))}
        </dl>
      </section>
    </Dialog>
  );
}
