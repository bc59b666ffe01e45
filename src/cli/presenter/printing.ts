/** Shows an upgrade line by line: what changes, and now and then what is waited for. */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { Connection } from "../../stream/client.ts";
import { clockText, percentText } from "../../view/text/duration.ts";
import { eventLine } from "../../view/log/event-line.ts";
import { newsFilter, stillText } from "../../view/log/news.ts";
import { STATUS_WORDS } from "../../view/text/status-words.ts";
import { countsText, headView, upgradeView, type HeadView } from "../../view/upgrade/upgrade-view.ts";
import { addStepSummary } from "../ci/step-summary.ts";
import { connectionText } from "../connection-text.ts";
import type { Cli } from "../context.ts";
import type { Presenter, PresenterOptions } from "./presenting.ts";
import { Printer } from "./printer.ts";

const TICK_MS = 1000;

/** Long enough not to fill a log, short enough for machines that end what is silent for ten minutes. */
export const SIGN_OF_LIFE_MS = 3 * 60_000;

export function printing(cli: Cli, options: PresenterOptions): Presenter {
  const { common, now, signOfLifeMs = SIGN_OF_LIFE_MS, ci, banner } = options;
  const printer = new Printer(cli, options);
  const sayConnection = connectionNews(printer, now);
  const isNews = newsFilter();
  let state: UpgradeProgress | undefined;
  let hasWriter: boolean | undefined;
  let away: Connection | undefined;
  const tick = () => {
    if (state === undefined || common.quiet === true || cli.clock.monotonic() - printer.saidMs < signOfLifeMs) return;
    const text = away === undefined ? null : connectionText(away, now());
    printer.say(text === null ? stillText(upgradeView(state, { asOfMs: now(), hasWriter })) : `still ${text}`);
  };
  const second = setInterval(tick, TICK_MS);
  if (banner !== undefined) cli.stdout.write(`${banner}\n`);
  return {
    show({ state: next, event, events, connection }) {
      if (connection !== undefined) away = sayConnection(connection);
      if (next === undefined) return;
      if (event !== undefined) for (const each of events ?? [event]) if (isNews(each)) sayEvent(printer, each, next);
      if (event === undefined && next !== state) sayPresent(printer, headView(next, { asOfMs: now() }));
      state = next;
    },
    setWriter(has) {
      const health =
        has === hasWriter || state === undefined ? null : headView(state, { asOfMs: now(), hasWriter: has }).health;
      hasWriter = has;
      if (health?.state === "lost") printer.say(`lost: ${health.reasons.join("; ")}`, "bad");
    },
    end() {
      printer.section(undefined);
      if (state !== undefined && ci === "github") addStepSummary(cli, state, now());
    },
    close() {
      clearInterval(second);
      printer.close();
    },
  };
}

/** A build's log has a section for each phase; what is said of the whole stands outside. */
function sayEvent(printer: Printer, event: ProgressEvent, state: UpgradeProgress): void {
  const line = eventLine(event, state);
  if (line === undefined) return;
  const isOfUpgrade = event.type.startsWith("upgrade.") && event.type !== "upgrade.phase_changed";
  if (isOfUpgrade) printer.section(undefined);
  else if (event.type === "upgrade.phase_changed") printer.section(`phase ${event.phase}`);
  if (event.type === "task.failed" || event.type === "upgrade.failed")
    printer.annotation("error", event.type === "task.failed" ? "Task failed" : "Upgrade failed", line);
  else if (event.type === "insight.raised" && event.insight.level !== "info")
    printer.annotation(event.insight.level, "Insight", line);
  else printer.line(line);
  if (event.type === "upgrade.started") printer.section(`phase ${event.phase}`);
}

/** "upgrade x on y: running, 52%, Node groups, 9 of 23 tasks completed". */
function sayPresent(printer: Printer, view: HeadView): void {
  const facts = [
    STATUS_WORDS[view.status].word,
    ...(view.status === "not_started"
      ? []
      : [view.percent === null ? "percentage unknown" : percentText(view.percent)]),
    ...(view.phase === null || view.hasEnded ? [] : [view.phase]),
    countsText(view),
  ];
  const why = view.message === null ? "" : `: ${view.message}`;
  const text = `upgrade ${view.upgradeId} on ${view.clusterName}: ${facts.join(", ")}${why}`;
  printer.section(undefined);
  if (view.status === "failed")
    printer.annotation("error", "Upgrade failed", { time: clockText(view.asOf), text, tone: "bad" });
  else printer.say(text);
  if (view.phase !== null && !view.hasEnded) printer.section(`phase ${view.phase}`);
}

/** Says that the connection is lost, and that it is there again, each once; gives the connection while it is away. */
export function connectionNews(
  printer: Printer,
  now: () => number,
): (connection: Connection) => Connection | undefined {
  let wasLive = false;
  let away: Connection | undefined;
  return (connection) => {
    const isLost = connection.status === "waiting" || connection.status === "stale";
    if (connection.status === "live") {
      if (away !== undefined && wasLive) printer.say("connected again", "good");
      wasLive = true;
      away = undefined;
    } else if (isLost) {
      if (away === undefined && wasLive)
        printer.say(`connection lost: ${connectionText(connection, now())}`, "attention");
      away = connection;
    }
    return away;
  };
}
