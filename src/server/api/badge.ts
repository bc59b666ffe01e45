/** A badge: an upgrade in one line, as a picture for a page or a README. */

import type { UpgradeSummary } from "../../view/upgrade/summary.ts";

const COLORS: Readonly<Record<UpgradeSummary["status"], string>> = {
  not_started: "#57606a",
  in_progress: "#0550ae",
  completed: "#116329",
  failed: "#a40e26",
  paused: "#7d4e00",
  cancelled: "#57606a",
  skipped: "#57606a",
};
const LABEL = "upgrade";
const HEIGHT = 20;
/** Of one character at the size below, on average. Every text is given its width, so a wider font is narrowed to fit. */
const CHARACTER_WIDTH = 6.5;
const MARGIN = 6;
const MAX_NAME = 40;

/** The SVG text. It holds no script and loads nothing. */
export function badgeSvg({ upgradeId, status, overallPercentage, isMeasured }: UpgradeSummary): string {
  const words = status.replaceAll("_", " ");
  const percent =
    isMeasured && status !== "completed" && status !== "not_started" ? ` ${Math.floor(overallPercentage)}%` : "";
  const value = `${words}${percent}`;
  const name = nameOf(upgradeId);
  const [left, right] = [widthOf(LABEL), widthOf(value)];
  const title = `${LABEL} ${name}: ${value}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${left}" height="${HEIGHT}" fill="#24292f"/>`,
    `<rect x="${left}" width="${right}" height="${HEIGHT}" fill="${COLORS[status]}"/>`,
    `<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">`,
    textAt(LABEL, left / 2),
    textAt(value, left + right / 2),
    `</g></svg>\n`,
  ].join("");
}

const widthOf = (text: string): number => Math.ceil(text.length * CHARACTER_WIDTH) + 2 * MARGIN;

const textAt = (text: string, x: number): string =>
  `<text x="${x}" y="14" textLength="${widthOf(text) - 2 * MARGIN}">${escaped(text)}</text>`;

/** An id may hold half a character's joiners and marks of direction: a title shows none of what steers text. */
function nameOf(upgradeId: string): string {
  const safe = upgradeId.replace(/[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "");
  return safe.length > MAX_NAME ? `${safe.slice(0, MAX_NAME - 1).toWellFormed()}…` : safe;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string =>
  // What XML cannot hold at all, besides the control characters that no id has.
  text.replace(/[\ufffe\uffff]/g, "\ufffd").replace(/[&<>"']/g, (char) => ENTITIES[char] as string);
