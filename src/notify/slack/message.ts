/**
 * What Slack shows. Every text of the outside is escaped, so that none can mention anybody or make a link, and all of it stays
 * within what Slack takes: 50 blocks, 3,000 characters in each text, and far fewer in all than the sum of these.
 */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus, type InsightLevel } from "../../model/vocabulary.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { STATUS_WORDS } from "../../view/text/status-words.ts";
import { facts, headline, severity, upgradeLink, type Fact } from "../wording.ts";

/** A message as Slack's methods and hooks take it. */
export interface SlackMessage {
  /** What a notification and a screen reader say. */
  readonly text: string;
  readonly blocks: readonly object[];
  readonly parse: "none";
  readonly link_names: false;
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

/** Of one text, escaped. A field takes 2,000, a section 3,000. */
const MAX_TITLE = 400;
const MAX_FACT = 500;
const MAX_POSITION = 200;
const MAX_SECTION = 3000;
/** Of a list of news, escaped: Slack refuses a message whose blocks have about 11,000 in all. */
const MAX_NEWS = 5000;
const MAX_LINES = 30;
const MAX_TYPES = 20;

const SHORT_FACTS: readonly string[] = ["Status", "Phase", "Progress", "Duration", "Health"];
const TITLE_FACTS: readonly string[] = ["Cluster", "Upgrade", "Link"];
const SIGNS: Readonly<Record<InsightLevel, string>> = { info: "•", warning: "⚠️", error: "❌" };
const URGENCY: Readonly<Record<InsightLevel, number>> = { error: 0, warning: 1, info: 2 };

/** Only programs want to know of these. */
const UNTOLD: ReadonlySet<string> = new Set<ProgressEvent["type"]>([
  "writer.opened",
  "writer.closed",
  "task.added",
  "task.heartbeat",
  "log.appended",
]);

/** True for an event that people want to hear of. */
export function isTelling({ type }: ProgressEvent): boolean {
  return !UNTOLD.has(type);
}

/** Where an upgrade stands: the message that is edited as it goes on. */
export function cardMessage(event: ProgressEvent, state: UpgradeProgress, baseUrl?: string): SlackMessage {
  const known = facts(event, state).filter(({ label }) => !TITLE_FACTS.includes(label));
  const short = known.filter(({ label }) => SHORT_FACTS.includes(label));
  const long = known.filter(({ label }) => !SHORT_FACTS.includes(label));
  const blocks = [
    section(title(state, baseUrl)),
    { type: "section", fields: short.map((fact) => mrkdwn(factText(fact))) },
    ...long.map((fact) => section(factText(fact))),
    { type: "context", elements: [mrkdwn(line(event, state))] },
  ];
  return message(event, state, blocks);
}

/**
 * Events as a list and where the upgrade stands.
 *
 * @param events - at least one.
 */
export function newsMessage(events: readonly ProgressEvent[], state: UpgradeProgress, baseUrl?: string): SlackMessage {
  const position = facts(events.at(-1) as ProgressEvent, state).filter(({ label }) => SHORT_FACTS.includes(label));
  const elements = position.map(({ label, text }) => mrkdwn(`${label}: ${escapeText(text, MAX_POSITION)}`));
  const blocks = [section(title(state, baseUrl)), ...list(events, state), { type: "context", elements }];
  return message(gravest(events), state, blocks);
}

/**
 * Events as a list alone, below the card, which says the rest.
 *
 * @param events - at least one.
 */
export function replyMessage(events: readonly ProgressEvent[], state: UpgradeProgress): SlackMessage {
  return message(gravest(events), state, list(events, state));
}

const gravest = (events: readonly ProgressEvent[]): ProgressEvent =>
  events.toSorted((a, b) => rank(a) - rank(b))[0] as ProgressEvent;

/** The serious ones first when there is no room for all; what is not listed is counted. */
function list(events: readonly ProgressEvent[], state: UpgradeProgress): readonly object[] {
  const { lines, others } = chosen(events, state);
  if (others.length === 0) return sections(lines);
  return [...sections(lines), section(escapeText(`and ${others.length} more: ${countedTypes(others)}`, MAX_FACT))];
}

function message(event: ProgressEvent, state: UpgradeProgress, blocks: readonly object[]): SlackMessage {
  const text = escapeText(`${safeText(state.clusterName)}: ${headline(event, state)}`, MAX_SECTION);
  // The defaults of posting, editing and hooks differ.
  return { text, blocks, parse: "none", link_names: false, unfurl_links: false, unfurl_media: false };
}

function chosen(
  events: readonly ProgressEvent[],
  state: UpgradeProgress,
): { readonly lines: readonly string[]; readonly others: readonly ProgressEvent[] } {
  const lines = new Map<ProgressEvent, string>();
  let length = 0;
  // Sorting keeps the order of those that are equally serious; of these the newest say most.
  for (const event of events.toReversed().toSorted((a, b) => rank(a) - rank(b))) {
    const text = line(event, state);
    if (lines.size === MAX_LINES || length + text.length > MAX_NEWS) break;
    length += text.length + 1;
    lines.set(event, text);
  }
  return {
    lines: events.flatMap((event) => lines.get(event) ?? []),
    others: events.filter((event) => !lines.has(event)),
  };
}

const rank = (event: ProgressEvent): number => (event.type === "task.progressed" ? 3 : URGENCY[severity(event)]);

function countedTypes(events: readonly ProgressEvent[]): string {
  const counts = new Map<string, number>();
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1);
  const named = [...counts].slice(0, MAX_TYPES).map(([type, count]) => `${count} ${type}`);
  return named.join(", ");
}

/** Lines in as few sections as hold them. */
function sections(lines: readonly string[]): readonly object[] {
  const texts: string[] = [];
  for (const one of lines) {
    const last = texts.at(-1);
    if (last === undefined || last.length + 1 + one.length > MAX_SECTION) texts.push(one);
    else texts[texts.length - 1] = `${last}\n${one}`;
  }
  return texts.map(section);
}

function line(event: ProgressEvent, state: UpgradeProgress): string {
  const sign = event.type === "upgrade.completed" ? "✅" : SIGNS[severity(event)];
  return `${sign} ${escapeText(headline(event, state), MAX_FACT)}`;
}

function title(state: UpgradeProgress, baseUrl: string | undefined): string {
  const { clusterName, upgradeId, run, status } = state;
  const again = run > 1 ? `, run ${run}` : "";
  const end = isFinalUpgradeStatus(status) ? `: ${STATUS_WORDS[status].word}` : "";
  const names = `${safeText(clusterName)}, ${safeText(upgradeId)}`;
  const name = escapeText(`${STATUS_WORDS[status].glyph} ${names}${again}${end}`, MAX_TITLE);
  // A bar ends the address of a link.
  const url =
    baseUrl === undefined ? undefined : escapeText(upgradeLink(baseUrl, upgradeId).replaceAll("|", "%7C"), 2000);
  return url === undefined ? `*${name}*` : `*${name}*  <${url}|Open>`;
}

function factText({ label, text }: Fact): string {
  return `*${label}*\n${escapeText(text, MAX_FACT)}`;
}

/** Verbatim: Slack makes no links or mentions of its own out of it. */
function mrkdwn(text: string): object {
  return { type: "mrkdwn", text, verbatim: true };
}

function section(text: string): object {
  return { type: "section", text: mrkdwn(text) };
}

/** Made when it is first needed: it takes milliseconds. */
let segmenter: Intl.Segmenter | undefined;
const charactersOf = (text: string): Intl.Segments => (segmenter ??= new Intl.Segmenter()).segment(text);
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Text in which nothing means anything to Slack but asterisks and the like, cut between characters to `maxLength` as it is sent. */
function escapeText(text: string, maxLength: number): string {
  const escaped = escape(text);
  if (escaped.length <= maxLength) return escaped;
  let kept = "";
  for (const { segment } of charactersOf(text.slice(0, maxLength))) {
    const next = escape(segment);
    if (kept.length + next.length > maxLength - 1) break;
    kept += next;
  }
  return `${kept}…`;
}

const escape = (text: string): string => text.replace(/[&<>]/g, (char) => ENTITIES[char] as string);
