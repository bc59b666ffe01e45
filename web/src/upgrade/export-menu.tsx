/** The whole upgrade as a file: what happened as JSON, as the stored lines, or as a table. */

import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { fetchApi, upgradePath } from "../access.ts";
import { announce } from "../announcer.tsx";
import { download } from "../download.ts";
import { listen } from "../listen.ts";
import "../style/menu.css";

const EXPORTS = [
  { format: "json", name: "JSON", about: "events and state" },
  { format: "ndjson", name: "NDJSON", about: "one event per line, as stored" },
  { format: "csv", name: "CSV", about: "one row per event" },
] as const;

export function ExportMenu({ upgradeId }: { readonly upgradeId: string }): ComponentChild {
  const menu = useRef<HTMLDetailsElement>(null);
  const [working, setWorking] = useState<string>();
  useClosing(menu);
  const save = async (format: string): Promise<void> => {
    menu.current?.removeAttribute("open");
    setWorking("Exporting …");
    try {
      // Not a link: a token that no cookie can hold goes with what this page asks for, and not with what the browser does.
      const answer = await fetchApi(upgradePath(upgradeId, `export?format=${format}`));
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      download(upgradeId, format, await answer.blob());
      setWorking(undefined);
      announce("the export is ready");
    } catch (error) {
      setWorking(`No export: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return (
    <details class="menu" ref={menu}>
      <summary class="button">Export</summary>
      <ul class="menu-list card">
        {EXPORTS.map(({ format, name, about }) => (
          <li key={format}>
            <button type="button" class="menu-item" onClick={() => void save(format)}>
              <strong>{name}</strong>
              <span class="soft">{about}</span>
            </button>
          </li>
        ))}
      </ul>
      {working !== undefined && (
        <p class="menu-said card" role="status">
          {working}
        </p>
      )}
    </details>
  );
}

/** Escape and a click elsewhere close the menu. */
function useClosing(menu: { readonly current: HTMLDetailsElement | null }): void {
  useEffect(() => {
    const close = (event: Event): void => {
      const { current } = menu;
      if (current === null || !current.open) return;
      if (event instanceof KeyboardEvent ? event.key !== "Escape" : current.contains(event.target as Node)) return;
      current.open = false;
      if (event instanceof KeyboardEvent) current.querySelector("summary")?.focus();
    };
    return listen(document, { keydown: close, pointerdown: close });
  }, [menu]);
}
