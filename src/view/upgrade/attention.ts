/** What asks for somebody: the exceptions of an upgrade, the worst first, each with how long and what to do. */

import type { HealthReason, Insight } from "../../model/event.ts";
import { assessHealth } from "../../model/health.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus, type HealthState } from "../../model/vocabulary.ts";
import { branchesOf, type Branch } from "../task/branches.ts";
import { safeText } from "../text/safe-text.ts";
import { HEALTH_TONES, INSIGHT_TONES, STATUS_WORDS, type Tone } from "../text/status-words.ts";
import { taskView, type Moment, type TaskView } from "../task/task-view.ts";
import { insightView } from "./upgrade-view.ts";

/** One thing that asks for somebody. Texts are safe to show; ids are as they are stored. */
export interface AttentionItem {
  /** Unique among the items, and the same for the same thing at every moment. */
  readonly key: string;
  readonly tone: Tone;
  /** What it is, in a word: "failed", "waiting", "stalled", "warning". */
  readonly word: string;
  readonly glyph: string;
  readonly title: string;
  /** What was said of it. */
  readonly lines: readonly string[];
  /** What to do. */
  readonly remedy: string | null;
  /** Where to read more. */
  readonly reference: string | null;
  /** The reference as an address to go to; null for one that is none. */
  readonly href: string | null;
  readonly resources: readonly string[];
  readonly taskId: string | null;
  /** How long it has been so; null when that is not known. */
  readonly elapsedMs: number | null;
}

export interface AttentionView {
  readonly items: readonly AttentionItem[];
  /** How many there are beyond those listed. */
  readonly more: number;
}

export interface AttentionOptions {
  /** False if it is known that nobody holds the log now. */
  readonly hasWriter?: boolean | undefined;
  readonly maxItems?: number;
}

const RANK: Readonly<Record<Tone, number>> = { bad: 0, attention: 1, active: 2, quiet: 3, good: 4 };

/** The exceptions at a moment. */
export function attentionView(
  state: UpgradeProgress,
  now: Moment,
  { hasWriter = true, maxItems = 30 }: AttentionOptions = {},
): AttentionView {
  const items = [
    ...healthItems(state, now, hasWriter),
    ...taskItems(state, now, maxItems),
    ...state.insights.map((insight) => insightItem(insight, now)),
  ].sort((a, b) => RANK[a.tone] - RANK[b.tone] || (b.elapsedMs ?? 0) - (a.elapsedMs ?? 0));
  const counted = state.tasks.counts.failed + waitingCount(state);
  const unlisted = Math.max(0, counted - maxItems);
  return { items: items.slice(0, maxItems), more: Math.max(0, items.length + unlisted - maxItems) };
}

const NOTHING = { lines: [], remedy: null, reference: null, href: null, resources: [], taskId: null, elapsedMs: null };

/** What the health comes from, beside the insights, which are items themselves. */
function healthItems(state: UpgradeProgress, now: Moment, hasWriter: boolean): readonly AttentionItem[] {
  if (state.status === "not_started" || isFinalUpgradeStatus(state.status)) return [];
  const trouble = state.health?.reasons.find(({ code }) => code === "storage")?.message;
  const verdict = assessHealth(state, { isWriterAlive: hasWriter, trouble }, now.logMs);
  return verdict.reasons
    .filter(({ code }) => code !== "insight")
    .map((reason) => healthItem(verdict.state, reason, state, now));
}

/** What helps, by the code of a reason. */
const REMEDIES: Readonly<Record<string, string>> = {
  writer_died: "Run the agent again: it goes on where the log ends.",
  writer_gone: "Look at the program that reports: it may wait, or have ended. Run it again to go on.",
  storage: "Free space or mend the storage; what happens meanwhile is kept in memory and written then.",
  silent: "Look at the program that does it: it has not said for long that it is alive.",
};

function healthItem(
  health: HealthState,
  { code, message, taskId }: HealthReason,
  { tasks }: UpgradeProgress,
  { logMs }: Moment,
): AttentionItem {
  const task = taskId === undefined ? undefined : tasks.get(taskId);
  const sinceMs = code === "silent" ? task?.lastSeenMs : code === "no_advance" ? task?.lastAdvanceMs : undefined;
  return {
    ...NOTHING,
    key: `health ${code} ${taskId ?? ""}`,
    tone: HEALTH_TONES[health],
    word: health,
    glyph: "!",
    title: safeText(message),
    remedy: REMEDIES[code] ?? null,
    taskId: taskId ?? null,
    elapsedMs: sinceMs === undefined ? null : Math.max(0, logMs - sinceMs),
  };
}

const isException = ({ status }: Branch): boolean => status === "failed" || status === "waiting";

function waitingCount({ tasks }: UpgradeProgress): number {
  let count = 0;
  for (const { status, waitingOn } of tasks.active())
    if (waitingOn !== null && (status === "in_progress" || status === "not_started")) count += 1;
  return count;
}

function taskItems(state: UpgradeProgress, now: Moment, limit: number): readonly AttentionItem[] {
  const items: AttentionItem[] = [];
  const visit = (branches: readonly Branch[], above: readonly string[]): void => {
    for (const branch of branches) {
      if (items.length >= limit) return;
      if (isException(branch) && !isSaidBelow(branch)) items.push(taskItem(branch, above, now));
      if (!branch.isQuiet) visit(branch.children, [...above, branch.task.taskName]);
    }
  };
  visit(branchesOf(state.tasks), []);
  return items;
}

/** A group that nobody reports on fails by its children, which are items themselves. */
const isSaidBelow = ({ task, status }: Branch): boolean => status === "failed" && task.status !== "failed";

function taskItem(branch: Branch, above: readonly string[], now: Moment): AttentionItem {
  const view = taskView(branch, now);
  const { word, tone, glyph } = STATUS_WORDS[view.status];
  const place = above.length === 0 ? [] : [`in ${above.map(safeText).join(" › ")}`];
  return {
    ...NOTHING,
    key: `task ${view.taskId}`,
    tone,
    word,
    glyph,
    title: view.waitingOn === null ? view.name : `${view.name} waits on ${view.waitingOn.on}`,
    lines: [...said(view), ...place],
    remedy: view.waitingOn?.remedy ?? null,
    taskId: view.taskId,
    elapsedMs: view.waitingOn?.elapsedMs ?? sinceEnd(branch, now),
  };
}

/** How long ago it ended; after the end of the upgrade no time passes, so that says nothing. */
function sinceEnd({ endedMs }: Branch, { logMs }: Moment): number | null {
  return endedMs === null || logMs <= endedMs ? null : logMs - endedMs;
}

function said({ waitingOn, message, attempt }: TaskView): readonly string[] {
  const text = waitingOn === null ? message : waitingOn.message;
  return [...(text === null ? [] : [text]), ...(attempt > 1 ? [`attempt ${attempt}`] : [])];
}

/** An address that a browser may be sent to: nothing else is a link, whatever it says. */
const WEB_ADDRESS = /^https?:\/\/[^\s\\]+$/i;

function insightItem(insight: Insight, now: Moment): AttentionItem {
  const view = insightView(insight, now.asOfMs);
  const { reference } = insight;
  return {
    key: `insight ${view.id}`,
    tone: INSIGHT_TONES[view.level],
    word: view.level,
    glyph: view.level === "info" ? "i" : "!",
    title: view.message,
    lines: view.impact === null ? [] : [view.impact],
    remedy: view.remedy,
    reference: view.reference,
    href: reference !== null && WEB_ADDRESS.test(reference) ? reference : null,
    resources: view.resources,
    taskId: null,
    elapsedMs: view.elapsedMs,
  };
}
