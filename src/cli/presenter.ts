/** Shows an upgrade while it goes on: drawn in place on a terminal, else line by line. */

import type { ProgressEvent } from "../model/event.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { clockText, percentText } from "../view/duration.ts";
import { eventLine } from "../view/event-line.ts";
import { newsFilter, stillText } from "../view/news.ts";
import { STATUS_WORDS } from "../view/status-words.ts";
import { headView, upgradeView } from "../view/upgrade-view.ts";
import type { Cli, CommonOptions } from "./context.ts";
import { frameLines } from "./render/frame.ts";
import { paint, span, type Look } from "./render/pen.ts";
import { screen } from "./render/screen.ts";
import { countsText } from "./render/upgrade-lines.ts";
import { canDraw, penFor, takeKeys, type Leave } from "./terminal.ts";

/** What a verb tells its presenter. */
export interface Presenter {
  /** The present state, and the event that made it, if one did. */
  show(state: UpgradeProgress, event?: ProgressEvent): void;
  /** Whether somebody writes the upgrade now. */
  setWriter(hasWriter: boolean): void;
  /** Shows the last state for good. */
  end(): void;
  /** Gives the terminal back. */
  close(): void;
}

export interface PresenterOptions {
  readonly common: Pick<CommonOptions, "ascii" | "color" | "quiet">;
  readonly leave: Leave;
  /** The wall time for which things are shown, epoch ms. */
  readonly now: () => number;
  /** Lines even on a terminal. */
  readonly isPlain?: boolean | undefined;
  /** After how long without a line one is printed that says what is waited for (ms). */
  readonly signOfLifeMs?: number | undefined;
  /** How to leave; shown below the tree. */
  readonly hint: string;
  readonly banner?: string | undefined;
}

export function presenter(cli: Cli, options: PresenterOptions): Presenter {
  return canDraw(cli) && options.isPlain !== true ? drawing(cli, options) : lines(cli, options);
}

/** No more than ten drawings a second, and no more than a tenth of the time spent on them. */
const FRAME_MS = 100;
const REST_FACTOR = 10;
const SECOND_MS = 1000;

function drawing(cli: Cli, { common, leave, now, hint, banner }: PresenterOptions): Presenter {
  const { stdout } = cli;
  const block = screen(stdout);
  let state: UpgradeProgress | undefined;
  let hasWriter: boolean | undefined;
  let pending: NodeJS.Timeout | undefined;
  let isClosed = false;
  let restMs = FRAME_MS;

  const draw = () => {
    clearTimeout(pending);
    pending = undefined;
    const startedMs = cli.clock.monotonic();
    // What comes after the end (a tracker saying goodbye) must not take the terminal again.
    if (state === undefined || isClosed) return;
    const by = penFor(stdout, cli.env, common);
    block.draw(
      frameLines(state, by, { asOfMs: now(), hasWriter, maxLines: Math.max(2, stdout.rows ?? 24) - 1, hint, banner }),
      by,
    );
    restMs = Math.max(FRAME_MS, REST_FACTOR * (cli.clock.monotonic() - startedMs));
  };
  const drawSoon = () => {
    if (!isClosed) pending ??= setTimeout(draw, restMs);
  };
  const onResize = () => {
    block.resized();
    drawSoon();
  };
  const restore = () => block.restore();
  const second = setInterval(drawSoon, SECOND_MS);
  const giveKeysBack = takeKeys(cli, {
    leave: (reason) => leave.now(reason),
    suspend: restore,
    resume() {
      // What stood on the screen may have been written over meanwhile: the block begins anew below it.
      block.leave();
      draw();
    },
  });
  stdout.on("resize", onResize);
  cli.signals.on("exit", restore);
  return {
    show(next) {
      const isFirst = state === undefined;
      state = next;
      if (isFirst) draw();
      else drawSoon();
    },
    setWriter(has) {
      if (has === hasWriter) return;
      hasWriter = has;
      drawSoon();
    },
    end: draw,
    close() {
      isClosed = true;
      clearInterval(second);
      clearTimeout(pending);
      stdout.off("resize", onResize);
      cli.signals.off("exit", restore);
      restore();
      giveKeysBack();
    },
  };
}

/** Long enough not to fill a log, short enough for machines that end what is silent for ten minutes. */
const SIGN_OF_LIFE_MS = 3 * 60 * SECOND_MS;

function lines(cli: Cli, { common, now, signOfLifeMs = SIGN_OF_LIFE_MS, banner }: PresenterOptions): Presenter {
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
  const second = setInterval(tick, SECOND_MS);
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
