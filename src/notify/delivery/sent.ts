/** The record of what was sent, when, and with what answer: for people who ask. */

import type { ProgressEvent } from "../../model/event.ts";
import type { Outcome } from "../notifier.ts";

/** One event in one call. */
export interface SentNote {
  /** ISO 8601. */
  readonly at: string;
  readonly run: number;
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly outcome: Outcome["status"];
  /** Which attempt at this event it was. */
  readonly attempt: number;
  readonly code?: string;
  /** The other side's words. */
  readonly answer?: string;
}

const MAX_TEXT = 300;

export function sentNote(
  { seq, id, type }: Pick<ProgressEvent, "seq" | "id" | "type">,
  outcome: Outcome,
  { run, at, attempt }: { readonly run: number; readonly at: string; readonly attempt: number },
): SentNote {
  const words = outcome.status === "delivered" ? outcome.answer : outcome.message;
  return {
    at,
    run,
    seq,
    id,
    type,
    outcome: outcome.status,
    attempt,
    ...(outcome.status === "delivered" ? {} : { code: outcome.code }),
    ...(words === undefined ? {} : { answer: words.slice(0, MAX_TEXT).toWellFormed() }),
  };
}

/** The notes that a store holds; what is no note is passed over. */
export function parseNotes(lines: readonly string[]): readonly SentNote[] {
  return lines.flatMap((line) => {
    try {
      const note = JSON.parse(line) as Partial<SentNote> | null;
      return typeof note?.seq === "number" && typeof note.outcome === "string" ? [note as SentNote] : [];
    } catch {
      return [];
    }
  });
}
