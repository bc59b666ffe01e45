/** Shows an upgrade line by line: what changes, and now and then what is waited for. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import { clockText, percentText } from "../../view/duration.ts";
import { eventLine } from "../../view/event-line.ts";
import { newsFilter, stillText } from "../../view/news.ts";
import { STATUS_WORDS } from "../../view/status-words.ts";
import { headView, upgradeView } from "../../view/upgrade-view.ts";
import type { Cli } from "../context.ts";
import { paint, span, type Look } from "../render/pen.ts";
import { countsText } from "../render/upgrade-lines.ts";
import { penFor } from "../terminal.ts";
import type { Presenter, PresenterOptions } from "./presenting.ts";

const TICK_MS = 1000;

/** Long enough not to fill a log, short enough for machines that end what is silent for ten minutes. */
const SIGN_OF_LIFE_MS = 3 * 60_000;

export function printing(
  cli: Cli,
  { common, now, signOfLifeMs = SIGN_OF_LIFE_MS, banner }: PresenterOptions,
): Presenter {
  const isNews = newsFilter();
  let state: UpgradeProgress | undefined;
  let hasWriter: boolean | undefined;
  let saidMs = cli.clock.monotonic();
  let isClosed = false;

  const say = (time: string, text: string, look?: Look) => {
    if (isClosed) return;
    const by = penFor(cli.stdout, cli.env, common);
    cli.stdout.write(`${paint([span(by, `${time} `, "quiet"), span(by, text, look)], by)}\n`);
    saidMs = cli.clock.monotonic();
  };
  const timeNow = () => clockText(new Date(now()).toISOString());
  const tick = () => {
    if (state === undefined || common.quiet === true || cli.clock.monotonic() - saidMs < signOfLifeMs) return;
    say(timeNow(), stillText(upgradeView(state, { asOfMs: now(), hasWriter })));
  };
  const second = setInterval(tick, TICK_MS);
  if (banner !== undefined) cli.stdout.write(`${banner}\n`);
  return {
    show(next, event) {
      if (event === undefined) say(timeNow(), presentText(next, now()));
      else {
        const line = isNews(event) ? eventLine(event, next) : undefined;
        if (line !== undefined) say(line.time, line.text, line.tone === "quiet" ? undefined : line.tone);
      }
      state = next;
    },
    setWriter(has) {
      const health =
        has === hasWriter || state === undefined ? null : headView(state, { asOfMs: now(), hasWriter: has }).health;
      hasWriter = has;
      if (health?.state === "lost") say(timeNow(), `lost: ${health.reasons.join("; ")}`, "bad");
    },
    end() {},
    close() {
      isClosed = true;
      clearInterval(second);
    },
  };
}

/** "upgrade x on y: running, 52%, Node groups, 9 of 23 tasks completed". */
function presentText(state: UpgradeProgress, asOfMs: number): string {
  const view = headView(state, { asOfMs });
  const facts = [
    STATUS_WORDS[view.status].word,
    ...(view.status === "not_started"
      ? []
      : [view.percent === null ? "percentage unknown" : percentText(view.percent)]),
    ...(view.phase === null || view.hasEnded ? [] : [view.phase]),
    countsText(view),
  ];
  return `upgrade ${view.upgradeId} on ${view.clusterName}: ${facts.join(", ")}`;
}
