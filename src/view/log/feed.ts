/** Events in words as a list that can be filtered and searched. */

import type { EventType, ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { eventLine } from "./event-line.ts";
import { finder, type Finder } from "../text/search.ts";
import type { Tone } from "../text/status-words.ts";

/** What events are about, as readers choose them. */
export const FEED_KINDS = ["status", "progress", "waiting", "insight", "health", "phase"] as const;
export type FeedKind = (typeof FEED_KINDS)[number];

/** An event in words. `text` is safe to show. */
export interface FeedEntry {
  readonly seq: number;
  /** Wall time, ISO 8601. */
  readonly time: string;
  readonly logMs: number;
  readonly kind: FeedKind;
  /** True for what should be seen when the whole log is looked at: failures, pauses, phases, insights, health, the end. */
  readonly isMark: boolean;
  readonly text: string;
  readonly tone: Tone;
  readonly taskId: string | null;
}

/** What `event` says, with the state after it; undefined for what only programs want to know. */
export function feedEntry(event: ProgressEvent, state: UpgradeProgress): FeedEntry | undefined {
  const line = eventLine(event, state);
  if (line === undefined) return undefined;
  return {
    seq: event.seq,
    time: event.time,
    logMs: state.clock.lastMs,
    kind: kindOf(event.type),
    isMark: isMark(event),
    text: line.text,
    tone: line.tone,
    taskId: "taskId" in event ? event.taskId : null,
  };
}

function kindOf(type: EventType): FeedKind {
  if (type === "task.progressed") return "progress";
  if (type === "task.waiting") return "waiting";
  if (type === "upgrade.phase_changed") return "phase";
  if (type === "health.changed") return "health";
  return type.startsWith("insight.") ? "insight" : "status";
}

function isMark(event: ProgressEvent): boolean {
  if (event.type === "task.failed" || event.type === "insight.raised" || event.type === "health.changed") return true;
  return event.type.startsWith("upgrade.");
}

/** Which entries are wanted. */
export interface FeedFilter {
  /** Words that must all be in the text, in any case and order. */
  readonly text?: string;
  /** All kinds when empty or left out. */
  readonly kinds?: readonly FeedKind[];
  readonly taskId?: string | undefined;
}

/** A test for the wanted entries; takes time in proportion to the length of a text, whatever the words are. */
export function feedTest({ text = "", kinds = [], taskId }: FeedFilter): (entry: FeedEntry) => boolean {
  const find: Finder = finder(text);
  return (entry) =>
    (kinds.length === 0 || kinds.includes(entry.kind)) &&
    (taskId === undefined || entry.taskId === taskId) &&
    find.matches(entry.text);
}
