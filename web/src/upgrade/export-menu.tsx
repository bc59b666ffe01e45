/** The whole upgrade as a file: what happened as JSON, as the stored lines, or as a table. */

import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { announce } from "../announcer.tsx";
import { EXPORTS, exportFile, type ExportFormat } from "./export-file.ts";
import "../style/menu.css";

export function ExportMenu({ upgradeId }: { readonly upgradeId: string }): ComponentChild {
  const menu = useRef<HTMLDetailsElement>(null);
  const [working, setWorking] = useState<string>();
  useClosing(menu);
  const save = async (format: ExportFormat): Promise<void> => {
    menu.current?.removeAttribute("open");
    setWorking("Exporting …");
    try {
      const leaving = new AbortController();
      download(await exportFile(upgradeId, format, leaving.signal));
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
    document.addEventListener("keydown", close);
    document.addEventListener("pointerdown", close);
    return () => {
      document.removeEventListener("keydown", close);
      document.removeEventListener("pointerdown", close);
    };
  }, [menu]);
}

function download({ name, blob }: { readonly name: string; readonly blob: Blob }): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it when the click returns, and some ask the reader first.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
