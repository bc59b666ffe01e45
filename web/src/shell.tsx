/** What is round every page: home, where one is, whether what is shown is true now, and the settings. */

import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChild, ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { ConnectionView } from "../../src/view/text/connection-words.ts";
import { announce } from "./announcer.tsx";
import { Glyph } from "./parts/glyph.tsx";
import { Icon } from "./parts/icon.tsx";
import { StatusMark } from "./parts/status-mark.tsx";
import { session } from "./session.ts";
import { SettingsDialog } from "./settings-dialog.tsx";
import "./style/shell.css";

export interface ShellProps {
  /** Where in the dashboard this is, after "Milepost /". */
  readonly trail?: ComponentChild;
  readonly connection?: ReadonlySignal<ConnectionView> | undefined;
  readonly children: ComponentChildren;
}

export function Shell({ trail, connection, children }: ShellProps): ComponentChild {
  const [isOpen, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    // After a change of page, reading and tabbing begin at the page.
    if (document.activeElement === document.body || document.activeElement === null) main.current?.focus();
  }, []);
  return (
    <div class="shell">
      <header class="shell-bar">
        <div class="shell-bar-inner">
          <a class="shell-home" href="/" aria-label="Milepost: all upgrades">
            <Icon name="milepost" />
            <span class="shell-name">Milepost</span>
          </a>
          <div class="shell-trail">{trail}</div>
          <div class="shell-end">
            {session.value.isReadOnly && <StatusMark look="pill" tone="quiet" glyph="i" word="read-only" />}
            {connection && <ConnectionMark connection={connection} />}
            <button
              type="button"
              class="button button-bare button-icon"
              aria-label="Settings"
              onClick={() => setOpen(true)}
            >
              <Icon name="settings" />
            </button>
          </div>
        </div>
      </header>
      <main ref={main} tabIndex={-1}>
        {children}
      </main>
      {isOpen && <SettingsDialog onClose={() => setOpen(false)} />}
    </div>
  );
}

/** Always there: a page that looks alive and is not would be the worst. */
function ConnectionMark({ connection }: { readonly connection: ReadonlySignal<ConnectionView> }): ComponentChild {
  const { word, detail, glyph, tone, reason, status, age } = connection.value;
  const before = useRef(word);
  useEffect(() => {
    if (before.current !== word) announce(`connection: ${word}`);
    before.current = word;
  }, [word]);
  return (
    <>
      {age !== null && <span class="shell-old">{age}</span>}
      <span class={`pill tone-${tone}`} title={reason ?? undefined} data-connection={status}>
        <Glyph glyph={glyph} />
        <span>
          {word}
          {detail !== null && <span class="connection-detail"> {detail}</span>}
        </span>
      </span>
    </>
  );
}
