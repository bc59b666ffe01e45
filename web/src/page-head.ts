/** The title and the icon of the page in its tab: they say how far it is, and whether it is well. */

import { useEffect } from "preact/hooks";

import type { Tone } from "../../src/view/text/status-words.ts";

export interface PageHead {
  readonly title: string;
  /** 0 to 100; null for no ring. */
  readonly percent?: number | null;
  readonly tone?: Tone;
}

/** Colours that can be seen on light and dark tabs. */
const COLOURS: Readonly<Record<Tone, string>> = {
  good: "#169a80",
  active: "#2f7de1",
  attention: "#d98a00",
  bad: "#cf2454",
  quiet: "#7d8894",
};

/** Sets both, as long as the component is there. */
export function usePageHead({ title, percent = null, tone = "active" }: PageHead): void {
  useEffect(() => {
    document.title = title === "" ? "Milepost" : `${title} · Milepost`;
  }, [title]);
  const whole = percent === null ? null : Math.floor(percent);
  useEffect(() => {
    document.querySelector<HTMLLinkElement>("#favicon")?.setAttribute("href", faviconHref(whole, tone));
  }, [whole, tone]);
}

/** A ring that fills; without a percentage the milestone itself. */
function faviconHref(percent: number | null, tone: Tone): string {
  const colour = COLOURS[tone];
  const stroke = `fill="none" stroke="${colour}" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"`;
  const length = 2 * Math.PI * 6.2;
  const inner =
    percent === null
      ? `<path d="M3 15V7.5a5 5 0 0 1 10 0V15M1.5 15h13M5.8 8.7l1.6 1.7 2.9-3.2" ${stroke}/>`
      : `<circle cx="8" cy="8" r="6.2" ${stroke} opacity=".28"/><circle cx="8" cy="8" r="6.2" ${stroke} ` +
        `stroke-dasharray="${(length * percent) / 100} ${length}" transform="rotate(-90 8 8)"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${inner}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
