/** What this reader prefers, kept in this browser. */

import { effect, signal, type Signal } from "@preact/signals";

import type { TimeZone } from "../../src/view/text/duration.ts";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const ZONES = ["local", "utc"] as const satisfies readonly TimeZone[];

interface Settings {
  readonly theme: Signal<Theme>;
  readonly zone: Signal<TimeZone>;
}

const KEY = "milepost.settings";

function stored(): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Not kept (a private window may keep nothing), or not ours.
    return {};
  }
}

const before = stored();

export const settings: Settings = {
  theme: signal(THEMES.find((known) => known === before["theme"]) ?? "auto"),
  zone: signal(ZONES.find((known) => known === before["zone"]) ?? "local"),
};

/** Makes the page follow the settings, and keeps them. */
export function startSettings(): void {
  effect(() => {
    const { theme, zone } = { theme: settings.theme.value, zone: settings.zone.value };
    document.documentElement.dataset["theme"] = theme;
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, zone }));
    } catch {
      // They hold until the page is left.
    }
  });
}
