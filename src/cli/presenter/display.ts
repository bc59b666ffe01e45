/**
 * Draws a scene in place at the end of the terminal's output, and gives it the keys.
 *
 * Nothing moves by itself: what is drawn changes with what happens, and once a second with the time. A drawing is made when it
 * is due, never for each event.
 */

import type { Cli, CommonOptions } from "../context.ts";
import { screen } from "../render/screen.ts";
import { penFor, takeKeys, type Leave } from "../terminal.ts";
import type { Scene } from "./scene.ts";

/** No more than ten drawings a second, and no more than a tenth of the time spent on them. */
const FRAME_MS = 100;
const REST_FACTOR = 10;
const TICK_MS = 1000;

export interface DisplayOptions {
  readonly common: Pick<CommonOptions, "ascii" | "color">;
  readonly leave: Leave;
  /** What to show now. */
  readonly scene: () => Scene | undefined;
  readonly onBack?: () => void;
}

export interface Display {
  /** Something has changed: it is drawn soon. */
  changed(): void;
  /** Draws at once. */
  draw(): void;
  /** Gives the terminal back. What comes later is not drawn. */
  close(): void;
}

export function display(cli: Cli, { common, leave, scene, onBack }: DisplayOptions): Display {
  const { stdout } = cli;
  const block = screen(stdout);
  let pending: NodeJS.Timeout | undefined;
  /** Away: stopped by Ctrl-Z, or gone on in the background; the terminal is the shell's. */
  let stage: "here" | "away" | "closed" = "here";
  let restMs = FRAME_MS;

  const draw = () => {
    clearTimeout(pending);
    pending = undefined;
    const shown = scene();
    // What comes after the end (a tracker saying goodbye) must not take the terminal again.
    if (shown === undefined || stage !== "here") return;
    // A terminal that does not keep up gets the newest when it can take it, not all that was in between.
    if (stdout.writableNeedDrain) return soon();
    const startedMs = cli.clock.monotonic();
    const by = penFor(stdout, cli.env, common);
    block.draw(shown.lines(by, Math.max(2, stdout.rows ?? 24) - 1), by);
    restMs = Math.max(FRAME_MS, REST_FACTOR * (cli.clock.monotonic() - startedMs));
  };
  const soon = () => {
    if (stage !== "closed") pending ??= setTimeout(draw, restMs);
  };
  const onResize = () => {
    block.resized();
    soon();
  };
  const restore = () => block.restore();
  const second = setInterval(soon, TICK_MS);
  const giveKeysBack = takeKeys(cli, {
    leave: (reason) => leave.now(reason),
    key(key) {
      const outcome = scene()?.key(key) ?? (key.name === "char" && key.char === "q" ? "quit" : "taken");
      if (outcome === "quit") leave.now("quit");
      else if (outcome === "back") onBack?.();
      // What was typed is seen at once, unless a drawing takes long.
      if (restMs > FRAME_MS) soon();
      else draw();
    },
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
    changed: soon,
    draw,
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
