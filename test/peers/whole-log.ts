/** What a reader must have seen, over all its connections: a state, and from there on each line of the log, once, as it is stored. */

import { expect } from "vitest";

/** What counts in a message; an event has a seq. */
interface Message {
  readonly type: string;
  readonly seq?: number;
  readonly recovered?: boolean;
  readonly upgrade?: { readonly seq: number };
}

export interface Seen {
  readonly connections: number;
  /** Of all messages, in their order. */
  readonly types: readonly string[];
}

/** @param messages - the texts that a reader got from its WebSockets, in order. @param lines - the whole log. */
export function expectWholeLog(messages: readonly string[], lines: readonly string[]): Seen {
  const parsed = messages.map((text) => ({ ...(JSON.parse(text) as Message), json: text }));
  const snapshots = parsed.filter(({ type }) => type === "snapshot");
  expect(snapshots, "one state, at the beginning").toHaveLength(1);
  const from = snapshots[0]?.upgrade?.seq ?? Number.NaN;
  const events = parsed.filter(({ seq }) => seq !== undefined).map(({ json }) => json);
  expectSameLines(events, lines.slice(from));
  const subscribed = parsed.filter(({ type }) => type === "subscribed").map(({ recovered }) => recovered);
  expect(subscribed).toEqual(subscribed.map((_, index) => index > 0));
  const types = parsed.map(({ type }) => type);
  return { connections: types.filter((type) => type === "welcome").length, types };
}

/** Byte for byte; of a long list only the first difference is worth showing. */
export function expectSameLines(actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((line, index) => actual[index] !== line);
  if (at >= 0) expect({ line: at, text: actual[at] }).toEqual({ line: at, text: expected[at] });
  expect(actual.length, "lines").toBe(expected.length);
}
