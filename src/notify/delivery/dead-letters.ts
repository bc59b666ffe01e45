/** Dead letters: what was not delivered and why. They name the event; the event itself stays in the log. */

import type { ProgressEvent } from "../../model/event.ts";
import type { DeliveryStore } from "../../storage/storage.ts";

/** An event that one notifier was not told, for good. */
export interface DeadLetter {
  readonly notifier: string;
  readonly run: number;
  readonly seq: number;
  /** The event's id and type. */
  readonly id: string;
  readonly type: string;
  /** When it was given up, ISO 8601, after how many attempts. */
  readonly at: string;
  readonly attempts: number;
  /** The other side's words. */
  readonly code: string;
  readonly message: string;
}

/** Somebody's wish that all dead letters of a notifier that stand before it are told again. */
interface RedriveRequest {
  readonly redrive: string;
  readonly at: string;
}

/** A dead letter and the place right behind it. */
export interface StoredLetter {
  readonly letter: DeadLetter;
  readonly next: number;
}

const MAX_TEXT = 500;

export function deadLetterOf(
  event: Pick<ProgressEvent, "id" | "seq" | "type">,
  about: Omit<DeadLetter, "id" | "seq" | "type">,
): DeadLetter {
  const { notifier, run, at, attempts, code, message } = about;
  const { seq, id, type } = event;
  return { notifier, run, seq, id, type, at, attempts, code, message: message.slice(0, MAX_TEXT).toWellFormed() };
}

/** Asks whoever delivers, now or next, to tell again what is dead by now. @throws STORAGE_DEGRADED, UNKNOWN_UPGRADE. */
export async function requestRedrive(store: DeliveryStore, notifier: string, at: string): Promise<void> {
  const request: RedriveRequest = { redrive: notifier, at };
  await store.addDeadLetters([JSON.stringify(request)]);
}

/** The place behind the newest request for a notifier from `from` on, if there is one, and how far that has looked. */
export async function findRequest(
  store: DeliveryStore,
  notifier: string,
  from: number,
): Promise<{ readonly until: number | undefined; readonly next: number }> {
  let until: number | undefined;
  let next = from;
  for (;;) {
    const texts = await store.readDeadLetters(next);
    for (const { text, next: behind } of texts.lines) if (parse(text)?.redrive === notifier) until = behind;
    if (texts.next === next) return { until, next };
    next = texts.next;
  }
}

/** The dead letters of a notifier between two places, at most so many. `next` is where the rest begins. */
export async function readLetters(
  store: DeliveryStore,
  notifier: string,
  { from, until = Number.POSITIVE_INFINITY, max }: { from: number; until?: number; max: number },
): Promise<{ readonly letters: readonly StoredLetter[]; readonly next: number }> {
  const letters: StoredLetter[] = [];
  let next = from;
  while (next < until) {
    const texts = await store.readDeadLetters(next);
    for (const { text, next: behind } of texts.lines) {
      if (behind > until || letters.length >= max) return { letters, next };
      next = behind;
      const letter = parse(text);
      if (letter?.notifier === notifier && Number.isSafeInteger(letter.seq) && Number.isSafeInteger(letter.run))
        letters.push({ letter: letter as DeadLetter, next: behind });
    }
    if (texts.lines.length === 0) break;
  }
  return { letters, next };
}

function parse(text: string): (Partial<DeadLetter> & Partial<RedriveRequest>) | undefined {
  try {
    return (JSON.parse(text) as object | null) ?? undefined;
  } catch {
    // Cut by a crash: whoever wrote it did not go on, and will write it again.
    return undefined;
  }
}
