/** How often what became of events since the start, and a line in the log for each that was not simply taken. */

import { report, type Logger } from "../../tracker/logger.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { DeadLetter } from "./dead-letters.ts";
import type { SentNote } from "./sent.ts";
import type { Settled } from "./settle.ts";

/** Since the start of this process. Attempts are counted, and dead letters. */
export interface DeliveryCounts {
  readonly delivered: number;
  /** Failed, and tried again later. */
  readonly retried: number;
  /** Given up: refused, tried often enough, or gone from the log. */
  readonly dead: number;
}

export class Tally {
  readonly #upgradeId: string;
  readonly #notifier: string;
  readonly #logger: Logger;
  #counts: DeliveryCounts = { delivered: 0, retried: 0, dead: 0 };

  constructor({ upgradeId, notifier, logger }: { upgradeId: string; notifier: string; logger: Logger }) {
    this.#upgradeId = upgradeId;
    this.#notifier = notifier;
    this.#logger = logger;
  }

  get counts(): DeliveryCounts {
    return this.#counts;
  }

  settled({ letters, notes }: Settled): void {
    const dead = new Set(letters.map(({ id }) => id));
    const retried = notes.filter(({ outcome, id }) => outcome === "retry" && !dead.has(id));
    const { delivered, retried: before, dead: given } = this.#counts;
    this.#counts = {
      delivered: delivered + notes.filter(({ outcome }) => outcome === "delivered").length,
      retried: before + retried.length,
      dead: given + letters.length,
    };
    for (const { answer, ...note } of retried) this.#say("info", "event is tried again", { ...note, message: answer });
    for (const letter of letters) this.#say("warn", "event is a dead letter", letter);
  }

  #say(
    level: "info" | "warn",
    what: string,
    about: DeadLetter | (Omit<SentNote, "answer"> & { message?: string | undefined }),
  ): void {
    const { run, seq, type, id, code = "", message = "" } = about;
    const attempt = "attempts" in about ? about.attempts : about.attempt;
    const fields = { notifier: this.#notifier, upgrade: this.#upgradeId, run, seq, type, id, attempt, code };
    const text = Object.entries(fields).map(([name, value]) => `${name}=${safeText(String(value))}`);
    report(this.#logger, level, `${what}: ${text.join(" ")}: ${safeText(message)}`);
  }
}
