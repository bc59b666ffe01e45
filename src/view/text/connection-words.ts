/** The connection behind what is shown, in the words that all surfaces use: whether what one sees is true now. */

import type { ErrorCode } from "../../errors.ts";
import { clockText, type TimeZone } from "./duration.ts";
import { safeText } from "./safe-text.ts";
import type { Tone } from "./status-words.ts";

/** What is known of a connection; the client's `Connection` is of this shape. */
export type ConnectionFacts =
  | { readonly status: "connecting" | "live" | "catching_up" }
  | { readonly status: "waiting"; readonly retryInMs: number; readonly attempt: number; readonly reason: string }
  | { readonly status: "stale"; readonly sinceMs: number }
  | { readonly status: "closed"; readonly code: ErrorCode; readonly reason: string };

/** A connection as it is shown. */
export interface ConnectionView {
  readonly status: ConnectionFacts["status"];
  readonly word: string;
  /** What goes after the word, as "in 3 s" or "since 12:01:05"; null when the word says it all. */
  readonly detail: string | null;
  /** How old what is shown is, as "as of 12:01:05"; null while it is live, or nothing is shown yet. */
  readonly age: string | null;
  /** For those who want to know more, in a sentence; null when there is no more. */
  readonly reason: string | null;
  /** One column wide. */
  readonly glyph: string;
  readonly tone: Tone;
  /** True while what is shown is the truth, as far as anybody knows. */
  readonly isCurrent: boolean;
  /** Why it ended for good; null while it has not. */
  readonly code: ErrorCode | null;
}

/** When a connection is looked at. All in wall time, epoch ms. */
export interface ConnectionMoment {
  readonly asOfMs: number;
  /** When the connection became what it is. */
  readonly changedAtMs: number;
  /** When it was live last; undefined if it never was. */
  readonly lastLiveMs?: number | undefined;
  readonly zone?: TimeZone | undefined;
}

/** What is said of a connection at a moment. */
export function connectionView(connection: ConnectionFacts, moment: ConnectionMoment): ConnectionView {
  const { status } = connection;
  const [word, detail] = wordsOf(connection, moment);
  const [glyph, tone] = LOOKS[status];
  return {
    status,
    word,
    detail,
    age: ageText(connection, moment),
    reason: "reason" in connection && connection.reason !== "" ? safeText(connection.reason) : null,
    glyph,
    tone,
    isCurrent: status === "live",
    code: status === "closed" ? connection.code : null,
  };
}

type Words = readonly [word: string, detail: string | null];

function wordsOf(connection: ConnectionFacts, { asOfMs, changedAtMs, lastLiveMs, zone }: ConnectionMoment): Words {
  switch (connection.status) {
    case "connecting":
      return lastLiveMs === undefined ? ["connecting", null] : ["reconnecting", "now"];
    case "live":
      return ["live", null];
    case "catching_up":
      return ["catching up", null];
    case "waiting": {
      // Nothing is lost but time: the page itself could not keep up.
      if (connection.attempt === 0) return ["catching up", null];
      const seconds = Math.ceil((changedAtMs + connection.retryInMs - asOfMs) / 1000);
      return ["reconnecting", seconds > 0 ? `in ${seconds} s` : "now"];
    }
    case "stale":
      return ["stale", `since ${timeOf(connection.sinceMs, zone)}`];
    case "closed":
      return [ENDINGS[connection.code] ?? "disconnected", null];
  }
}

function ageText({ status }: ConnectionFacts, { lastLiveMs, zone }: ConnectionMoment): string | null {
  // "Stale since" says it already.
  if (status === "live" || status === "stale" || lastLiveMs === undefined) return null;
  return `as of ${timeOf(lastLiveMs, zone)}`;
}

const timeOf = (epochMs: number, zone: TimeZone | undefined): string =>
  clockText(new Date(epochMs).toISOString(), zone);

const ENDINGS: Readonly<Partial<Record<ErrorCode, string>>> = {
  UNAUTHENTICATED: "signed out",
  TOKEN_EXPIRED: "signed out",
  FORBIDDEN: "not allowed",
  UNKNOWN_UPGRADE: "not found",
};

const LOOKS: Readonly<Record<ConnectionFacts["status"], readonly [glyph: string, tone: Tone]>> = {
  connecting: ["◌", "quiet"],
  live: ["●", "good"],
  catching_up: ["◐", "active"],
  waiting: ["◌", "attention"],
  stale: ["◍", "attention"],
  closed: ["○", "bad"],
};
