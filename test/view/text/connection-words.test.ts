import { expect, test } from "vitest";

import { connectionView, type ConnectionFacts } from "../../../src/view/text/connection-words.ts";

const AT = Date.UTC(2026, 10, 23, 12, 0, 5);
const said = (connection: ConnectionFacts, asOfMs = AT, lastLiveMs: number | null = AT - 60_000): string => {
  const { word, detail, age } = connectionView(connection, {
    asOfMs,
    changedAtMs: AT,
    lastLiveMs: lastLiveMs ?? undefined,
    zone: "utc",
  });
  return [word, detail, age].filter((text) => text !== null).join(" | ");
};

const waiting = (retryInMs: number, attempt = 1): ConnectionFacts => ({
  status: "waiting",
  retryInMs,
  attempt,
  reason: "gone",
});

test("a connection is said in words that stay true as time goes on", () => {
  expect(said({ status: "live" })).toBe("live");
  expect(said({ status: "connecting" }, AT, null)).toBe("connecting");
  expect(said({ status: "connecting" })).toBe("reconnecting | now | as of 11:59:05");
  expect(said(waiting(4_200))).toBe("reconnecting | in 5 s | as of 11:59:05");
  expect(said(waiting(4_200), AT + 3_500)).toBe("reconnecting | in 1 s | as of 11:59:05");
  expect(said(waiting(4_200), AT + 9_000)).toBe("reconnecting | now | as of 11:59:05");
  expect(said(waiting(0, 0))).toBe("catching up | as of 11:59:05");
  expect(said({ status: "stale", sinceMs: AT - 20_000 })).toBe("stale | since 11:59:45");
});

test.each([
  ["UNAUTHENTICATED", "signed out"],
  ["TOKEN_EXPIRED", "signed out"],
  ["FORBIDDEN", "not allowed"],
  ["UNKNOWN_UPGRADE", "not found"],
  ["CORRUPT", "disconnected"],
] as const)("an end by %s is said as %s, with the reason made safe", (code, word) => {
  const view = connectionView(
    { status: "closed", code, reason: "no\u001b[2J" },
    { asOfMs: AT, changedAtMs: AT, lastLiveMs: undefined },
  );
  expect(view).toMatchObject({ word, code, reason: "no\\x1b[2J", isCurrent: false, tone: "bad" });
});
