/** Events as one mail: subject, text and HTML, and names by which programs know it again. */

import { sha256Hex } from "../../node-modules.ts";
import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Batch } from "../notifier.ts";
import { cutText, facts, headline, severity } from "../wording.ts";
import { mailHtml } from "./html.ts";
import type { Letter, Line } from "./letter.ts";

export interface Mail {
  /** The same whenever the same events are sent; letters, digits, dots and hyphens. */
  readonly key: string;
  /** The same for all mails of an upgrade, so that a reader sees them together. */
  readonly thread: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const MAX_SUBJECT = 150;
const MAX_CLUSTER = 40;
const RANKS: readonly Line["level"][] = ["info", "warning", "error"];

/** @param baseUrl - where people reach the dashboard; without it there is no link. */
export function mailOf({ events, state }: Batch, baseUrl: string | undefined): Mail {
  const lines = events.map((event) => lineOf(event, state));
  const last = events.at(-1) as ProgressEvent;
  // The worst of them is what somebody has to know; of equals the newest.
  const worst = lines.reduce((found, line) => (rank(line) >= rank(found) ? line : found));
  const told = facts(last, state, baseUrl);
  const letter: Letter = {
    title: worst.text,
    level: worst.level,
    lines: lines.length > 1 ? lines : [],
    facts: [{ label: "Time", text: worst.time }, ...told.filter(({ label }) => label !== "Link")],
    link: told.find(({ label }) => label === "Link")?.text,
    footer: `Sent by Milepost, which tracks ${safeText(state.upgradeId)}.`,
  };
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more)` : "";
  const subject = `${clusterName(state)}: ${worst.text}`;
  return {
    key: events.length === 1 ? plainId(last.id) : `${plainId((events[0] as ProgressEvent).id)}.${plainId(last.id)}`,
    thread: sha256Hex(JSON.stringify([state.upgradeId, state.run])).slice(0, 32),
    subject: cutText(subject, MAX_SUBJECT - more.length) + more,
    text: mailText(letter),
    html: mailHtml(letter),
  };
}

function lineOf(event: ProgressEvent, state: UpgradeProgress): Line {
  const iso = new Date(event.time).toISOString();
  return {
    time: `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`,
    text: headline(event, state),
    level: severity(event),
  };
}

const rank = ({ level }: Line): number => RANKS.indexOf(level);

/** Of an ARN the name is what people know. */
function clusterName({ clusterName: name }: UpgradeProgress): string {
  return cutText(safeText(name.startsWith("arn:") ? (name.split("/").at(-1) ?? name) : name), MAX_CLUSTER);
}

/** Ids are anybody's text; a Message-ID is not. */
function plainId(id: string): string {
  return /^[A-Za-z\d-]{1,64}$/.test(id) ? id : sha256Hex(id).slice(0, 32);
}

function mailText({ title, lines, facts: told, link, footer }: Letter): string {
  const width = Math.max(...told.map(({ label }) => label.length)) + 2;
  const parts = [
    title,
    lines.map(({ time, text }) => `${time}  ${text}`).join("\n"),
    told.map(({ label, text }) => `${`${label}:`.padEnd(width)}${text}`).join("\n"),
    link,
    `-- \n${footer}`,
  ];
  return `${parts.filter((part) => part !== undefined && part !== "").join("\n\n")}\n`;
}
