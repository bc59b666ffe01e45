/** Shows an upgrade as a tree that is drawn in place. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { Cli } from "../context.ts";
import { frameLines } from "../render/frame.ts";
import { screen } from "../render/screen.ts";
import { penFor, takeKeys } from "../terminal.ts";
import type { Presenter, PresenterOptions } from "./presenting.ts";

/** No more than ten drawings a second, and no more than a tenth of the time spent on them. */
const FRAME_MS = 100;
const REST_FACTOR = 10;
const TICK_MS = 1000;

export function drawing(cli: Cli, { common, leave, now, hint, banner }: PresenterOptions): Presenter {
  const { stdout } = cli;
  const block = screen(stdout);
  let state: UpgradeProgress | undefined;
  let hasWriter: boolean | undefined;
  let pending: NodeJS.Timeout | undefined;
  /** Away: stopped by Ctrl-Z, or gone on in the background; the terminal is the shell's. */
  let stage: "here" | "away" | "closed" = "here";
  let restMs = FRAME_MS;

  const draw = () => {
    clearTimeout(pending);
    pending = undefined;
    // What comes after the end (a tracker saying goodbye) must not take the terminal again.
    if (state === undefined || stage !== "here") return;
    const startedMs = cli.clock.monotonic();
    const by = penFor(stdout, cli.env, common);
    const maxLines = Math.max(2, stdout.rows ?? 24) - 1;
    block.draw(frameLines(state, by, { asOfMs: now(), hasWriter, maxLines, hint, banner }), by);
    restMs = Math.max(FRAME_MS, REST_FACTOR * (cli.clock.monotonic() - startedMs));
  };
  const drawSoon = () => {
    if (stage !== "closed") pending ??= setTimeout(draw, restMs);
  };
  const onResize = () => {
    block.resized();
    drawSoon();
  };
  const restore = () => block.restore();
  const second = setInterval(drawSoon, TICK_MS);
  const giveKeysBack = takeKeys(cli, {
    leave: (reason) => leave.now(reason),
    suspend() {
      stage = "away";
      restore();
    },
    resume() {
      stage = "here";
      // What stood on the screen may have been written over meanwhile: the block begins anew below it.
      block.leave();
      draw();
    },
  });
  stdout.on("resize", onResize);
  cli.signals.on("exit", restore);
  return {
    show(next) {
      state = next;
      drawSoon();
    },
    setWriter(has) {
      if (has === hasWriter) return;
      hasWriter = has;
      drawSoon();
    },
    end: draw,
    close() {
      stage = "closed";
      clearInterval(second);
      clearTimeout(pending);
      stdout.off("resize", onResize);
      cli.signals.off("exit", restore);
      restore();
      giveKeysBack();
    },
  };
}
