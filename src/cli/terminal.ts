/** The terminal as it is found, how it is taken for a live display, and how it is given back in every case. */

import type { Cli, CommonOptions, Output } from "./context.ts";
import { SIGNAL_EXIT } from "./exit-codes.ts";
import { keyReader, type Key } from "./presenter/keys.ts";
import { pen, type Pen } from "./render/pen.ts";
import { isForeground } from "./run/outer-terminal.ts";

const DEFAULT_WIDTH = 80;

/** The pen for an output as it is now: its width, colours and characters. */
export function penFor(output: Output, env: Cli["env"], { ascii, color }: Pick<CommonOptions, "ascii" | "color">): Pen {
  const isTerminal = output.isTTY === true;
  const columns = output.columns ?? 0;
  return pen({
    width: columns > 0 ? columns : DEFAULT_WIDTH,
    isAscii: ascii === true || isAsciiLocale(env),
    hasColor: color !== false && hasColor(isTerminal, env),
  });
}

/** https://no-color.org: any value but the empty one says no. FORCE_COLOR says yes where there is no terminal. */
function hasColor(isTerminal: boolean, env: Cli["env"]): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const force = env["FORCE_COLOR"] ?? "";
  if (force !== "") return force !== "0" && force !== "false";
  return isTerminal && env["TERM"] !== "dumb";
}

/** A locale that is set and is not UTF-8. None at all is common in containers, whose terminals know UTF-8 all the same. */
function isAsciiLocale(env: Cli["env"]): boolean {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "");
  return locale !== undefined && !/utf-?8/i.test(locale);
}

/** True if a live display can be drawn: on a terminal that can move its cursor, which is not somebody else's at the moment (`&`). */
export function canDraw(cli: Cli): boolean {
  if (cli.stdout.isTTY !== true || cli.env["TERM"] === "dumb") return false;
  return cli.stdin.isTTY !== true || isForeground();
}

/** Why a verb was left before its end: a signal, the key q, a reader that went away, or time that ran out. */
type Leaving = "SIGINT" | "SIGTERM" | "SIGHUP" | "quit" | "closed" | "timeout";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Watches for the reasons to leave. */
export interface Leave {
  readonly signal: AbortSignal;
  /** Why, once `signal` is aborted. */
  readonly reason: Leaving | undefined;
  now(reason: Leaving): void;
  /** Stops watching: signals have their usual effect again. */
  close(): void;
}

/** The exit status of a verb that was left: that of the signal; 0 when it was meant to end so. */
export function leftExit({ reason }: Leave): number {
  return reason === "SIGINT" || reason === "SIGTERM" || reason === "SIGHUP" ? SIGNAL_EXIT[reason] : 0;
}

export function leaveOn(cli: Cli): Leave {
  const controller = new AbortController();
  const now = (reason: Leaving) => controller.abort(reason);
  const handlers = SIGNALS.map((name) => [name, () => now(name)] as const);
  const onClosed = () => now("closed");
  for (const [name, handler] of handlers) cli.signals.on(name, handler);
  cli.outputClosed.addEventListener("abort", onClosed);
  if (cli.outputClosed.aborted) onClosed();
  return {
    signal: controller.signal,
    get reason() {
      return controller.signal.aborted ? (controller.signal.reason as Leaving) : undefined;
    },
    now,
    close() {
      for (const [name, handler] of handlers) cli.signals.off(name, handler);
      cli.outputClosed.removeEventListener("abort", onClosed);
    },
  };
}

/** True if keys can be read one by one. */
export function hasKeys({ stdin }: Cli): boolean {
  return stdin.isTTY === true && stdin.setRawMode !== undefined;
}

const SUSPEND_CHECK_MS = 50;

export interface KeyActions {
  readonly leave: (reason: Leaving) => void;
  /** Called with every other key. */
  readonly key: (key: Key) => void;
  /** Called before the process stops, and after it goes on. */
  readonly suspend: () => void;
  readonly resume: () => void;
}

/**
 * Takes the keyboard, so that what is typed does not show up in the display: Ctrl-C leaves and Ctrl-Z stops the process, as
 * ever. Does nothing when the input is no terminal. Returns the function that gives it back.
 */
export function takeKeys(cli: Cli, actions: KeyActions): () => void {
  if (!hasKeys(cli)) return () => undefined;
  const { stdin } = cli;
  const setRaw = (isRaw: boolean) => stdin.setRawMode?.(isRaw);
  let isSuspended = false;
  const onContinue = () => {
    isSuspended = false;
    // Continued in the background, the terminal is the shell's: taking it would stop the process again.
    if (!isForeground()) return;
    setRaw(true);
    actions.resume();
  };
  const suspend = () => {
    actions.suspend();
    setRaw(false);
    isSuspended = true;
    // The whole group of the terminal's foreground, as the terminal itself would.
    process.kill(0, "SIGTSTP");
    // Where nobody could let it go on (no shell above it), the system does not stop it either.
    setTimeout(() => {
      if (isSuspended) onContinue();
    }, SUSPEND_CHECK_MS);
  };
  const reader = keyReader((key) => {
    if (key.name === "interrupt") actions.leave("SIGINT");
    else if (key.name === "suspend") suspend();
    else actions.key(key);
  });
  const onData = (data: Buffer | string) => reader.give(data);
  // A terminal that is gone cannot be read any more.
  const onError = () => actions.leave("SIGHUP");
  setRaw(true);
  stdin.on("data", onData);
  stdin.on("error", onError);
  stdin.resume();
  cli.signals.on("SIGCONT", onContinue);
  return () => {
    cli.signals.off("SIGCONT", onContinue);
    stdin.off("data", onData);
    stdin.off("error", onError);
    reader.close();
    stdin.pause();
    setRaw(false);
  };
}
