/**
 * Signals to Milepost reach the command, and each reaches it once.
 *
 * Ctrl-C in a terminal, and `kill` of a whole group, go to the command as well as to Milepost; a signal to Milepost alone does
 * not. The system does not tell which it was, and a second SIGINT means "stop at once, leave a mess" to many tools. So a witness
 * in the same group tells: a process that does nothing. If the signal has killed the witness too, the command has had it.
 */

import { spawn, type ChildProcess } from "node:child_process";
import type { Cli } from "../context.ts";
import type { RelayedSignal, RunningCommand } from "./launch.ts";

const RELAYED: readonly RelayedSignal[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];

/** How long a witness that was hit may take to be seen dead. */
const WITNESS_MS = 250;

export interface SignalRelay {
  /** The signals that have come, in order. */
  readonly received: readonly RelayedSignal[];
  /** From now on they go to this command; those that have come before go there now. */
  begin(running: Pick<RunningCommand, "deliver" | "sharesGroup">): void;
  /** Stops; signals have their usual effect again. */
  close(): void;
}

/** Takes the signals that come to Milepost. `ignoresHangUp`: true under nohup, when SIGHUP is not to be heard. */
export function relaySignals(
  signals: Cli["signals"],
  { ignoresHangUp }: { readonly ignoresHangUp: boolean },
): SignalRelay {
  const received: RelayedSignal[] = [];
  let running: Parameters<SignalRelay["begin"]>[0] | undefined;
  let witness: Witness | undefined;
  const pass = async (signal: RelayedSignal): Promise<void> => {
    const wasHit = (await witness?.wasHit(signal)) ?? false;
    if (!wasHit) running?.deliver(signal);
  };
  const handlers = RELAYED.map((signal) => {
    const onSignal = (): void => {
      if (signal === "SIGHUP" && ignoresHangUp) return;
      received.push(signal);
      void pass(signal);
    };
    signals.on(signal, onSignal);
    return [signal, onSignal] as const;
  });
  return {
    received,
    begin(command) {
      running = command;
      if (command.sharesGroup) witness = new Witness();
      for (const signal of received) command.deliver(signal);
    },
    close() {
      running = undefined;
      for (const [signal, handler] of handlers) signals.off(signal, handler);
      witness?.close();
    },
  };
}

class Witness {
  #process: ChildProcess | undefined;
  /** No witness to be had: then every signal is taken to have come to Milepost alone. */
  #isMissing = false;
  #isClosed = false;
  /** Those who wait to see whether it dies. */
  readonly #waiting = new Set<() => void>();
  /** Signals that have killed a witness before Milepost itself was told of them, and when. */
  readonly #early = new Map<string, number>();

  constructor() {
    this.#start();
  }

  /** It ends by itself when Milepost does, since its input does. A core file of it would be of no use. */
  #start(): void {
    this.#process = undefined;
    if (this.#isClosed) return;
    const witness = spawn("sh", ["-c", "ulimit -c 0; exec cat"], { stdio: ["pipe", "ignore", "ignore"] });
    witness.once("spawn", () => (this.#process = witness));
    witness.once("error", () => (this.#isMissing = true));
    witness.stdin.on("error", () => undefined);
    witness.once("exit", (code, signal) => this.#exited(code, signal));
    witness.unref();
  }

  #exited(code: number | null, signal: string | null): void {
    this.#isMissing = code !== null;
    if (signal !== null && this.#waiting.size === 0) this.#early.set(signal, performance.now());
    for (const tell of this.#waiting) tell();
    if (!this.#isMissing) this.#start();
  }

  /** Whether a signal that has just come went to the group. While no witness lives, one has just been hit. */
  wasHit(signal: RelayedSignal): Promise<boolean> {
    const earlyAt = this.#early.get(signal) ?? Number.NEGATIVE_INFINITY;
    this.#early.delete(signal);
    if (performance.now() - earlyAt < WITNESS_MS) return Promise.resolve(true);
    if (this.#isMissing) return Promise.resolve(false);
    if (this.#process === undefined) return Promise.resolve(true);
    return new Promise((resolve) => {
      const answer = (wasHit: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(hit);
        resolve(wasHit);
      };
      const hit = (): void => answer(true);
      const timer = setTimeout(() => answer(false), WITNESS_MS);
      this.#waiting.add(hit);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#process?.stdin?.destroy();
    this.#process?.kill("SIGKILL");
  }
}
