/** All upgrades as lines, or as summaries for programs. */

import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { percentText } from "../../view/text/duration.ts";
import { HEALTH_TONES, STATUS_WORDS } from "../../view/text/status-words.ts";
import type { UpgradeSummary } from "../../view/upgrade/summary.ts";
import type { Cli } from "../context.ts";
import { ENDED_OTHERWISE } from "../exit-codes.ts";
import { sayJson } from "../json-text.ts";
import { Printer } from "../presenter/printer.ts";
import { connectionNews, SIGN_OF_LIFE_MS } from "../presenter/printing.ts";
import type { Watching } from "./follow.ts";

const TICK_MS = 1000;
const NEWS_POINTS = 25;
const MAX_NAMED = 5;

/**
 * Prints what changes until all that had not ended have; with `isEndless` for as long as nobody leaves.
 *
 * @returns the exit status; undefined when it was left.
 */
export async function printAll(cli: Cli, watching: Watching, isEndless: boolean): Promise<number | undefined> {
  const { source, leave, common } = watching;
  const teller = common.json === true ? jsonTeller(cli) : lineTeller(cli, watching);
  const open = new Set<string>();
  let exitCode = 0;
  let isFirst = true;
  try {
    for await (const { upgrades, changed, removed, connection } of source.watchAll({ signal: leave.signal })) {
      if (connection !== undefined) teller.connection(connection);
      if (connection !== undefined && connection.status !== "live") continue;
      for (const upgradeId of removed) {
        open.delete(upgradeId);
        teller.remove(upgradeId);
      }
      for (const summary of changed.length + removed.length > 0 ? changed : upgrades.values()) {
        const { upgradeId, status } = summary;
        const hasEnded = isFinalUpgradeStatus(status);
        if (!hasEnded) open.add(upgradeId);
        else if (open.delete(upgradeId) && status !== "completed") exitCode = ENDED_OTHERWISE;
        teller.tell(summary, isFirst);
      }
      isFirst = false;
      if (!isEndless && open.size === 0) return exitCode;
    }
    return undefined;
  } finally {
    teller.close();
  }
}

interface Teller {
  /** `isPresent`: it was there when it was first looked. */
  tell(summary: UpgradeSummary, isPresent: boolean): void;
  /** It was deleted. */
  remove(upgradeId: string): void;
  connection(connection: Parameters<ReturnType<typeof connectionNews>>[0]): void;
  close(): void;
}

/** A message for each summary that is another one, as a server sends them. */
function jsonTeller(cli: Cli): Teller {
  const told = new Map<string, string>();
  return {
    tell(summary) {
      const mark = `${summary.cursor} ${JSON.stringify(summary.health)}`;
      if (told.get(summary.upgradeId) === mark) return;
      told.set(summary.upgradeId, mark);
      sayJson(cli, { type: "summary", summary });
    },
    remove(upgradeId) {
      if (told.delete(upgradeId)) sayJson(cli, { type: "removed", upgradeId });
    },
    connection: () => undefined,
    close: () => undefined,
  };
}

/** A line for each change of status, phase or health, and for every quarter of the way. */
function lineTeller(cli: Cli, { source, common, signOfLifeMs = SIGN_OF_LIFE_MS, ci }: Watching): Teller {
  const printer = new Printer(cli, { common, now: () => source.now(), ci });
  const newest = new Map<string, UpgradeSummary>();
  const told = new Map<string, string>();
  const tick = () => {
    if (common.quiet === true || cli.clock.monotonic() - printer.saidMs < signOfLifeMs) return;
    printer.say(stillText([...newest.values()].filter(({ status }) => !isFinalUpgradeStatus(status))));
  };
  const second = setInterval(tick, TICK_MS);
  return {
    tell(summary, isPresent) {
      const { upgradeId, status, health } = summary;
      newest.set(upgradeId, summary);
      const mark = markOf(summary);
      if (told.get(upgradeId) === mark) return;
      told.set(upgradeId, mark);
      // What had ended before anybody looked is no news.
      if (isPresent && isFinalUpgradeStatus(status)) return;
      const isIll = health !== null && health.state !== "progressing";
      printer.say(summaryText(summary), isIll ? HEALTH_TONES[health.state] : STATUS_WORDS[status].tone);
    },
    remove(upgradeId) {
      newest.delete(upgradeId);
      if (told.delete(upgradeId)) printer.say(`upgrade ${upgradeId} was deleted`, "attention");
    },
    connection: connectionNews(printer, () => source.now()),
    close() {
      clearInterval(second);
      printer.close();
    },
  };
}

function markOf({ status, currentPhase, health, overallPercentage }: UpgradeSummary): string {
  return JSON.stringify([status, currentPhase, health?.state, Math.floor(overallPercentage / NEWS_POINTS)]);
}

/** "upgrade x on y: running, 52%, Node groups; stalled: …". */
function summaryText(summary: UpgradeSummary): string {
  const { upgradeId, clusterName, status, currentPhase, health, errorMessage } = summary;
  const hasEnded = isFinalUpgradeStatus(status);
  const facts = [
    STATUS_WORDS[status].word,
    ...positionOf(summary),
    ...(hasEnded || currentPhase === null ? [] : [currentPhase]),
  ];
  const ill =
    health === null || health.state === "progressing"
      ? ""
      : `; ${[health.state, health.reasons.join("; ")].filter(Boolean).join(": ")}`;
  return `upgrade ${upgradeId} on ${clusterName}: ${facts.join(", ")}${ill}${errorMessage === null || !hasEnded ? "" : `: ${errorMessage}`}`;
}

function positionOf({ status, isMeasured, overallPercentage }: UpgradeSummary): readonly string[] {
  if (status === "not_started") return [];
  return [isMeasured ? percentText(overallPercentage) : "percentage unknown"];
}

function stillText(open: readonly UpgradeSummary[]): string {
  if (open.length === 0) return "still here: no upgrade runs";
  const names = open
    .slice(0, MAX_NAMED)
    .map(
      (summary) => `${summary.upgradeId} (${[STATUS_WORDS[summary.status].word, ...positionOf(summary)].join(", ")})`,
    );
  return `still: ${names.join("; ")}${open.length > MAX_NAMED ? `; and ${open.length - MAX_NAMED} more` : ""}`;
}
