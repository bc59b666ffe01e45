import { expect, test } from "vitest";

import type { Grant } from "../../../src/server/auth/grant.ts";
import { createTickets } from "../../../src/server/auth/tickets.ts";
import { manualClock } from "../../manual-clock.ts";
import { codeOf } from "./issuer.ts";

const grantOf = (subject: string): Grant => ({ subject, permissions: [], expiresAtMs: null });

test("a ticket gives its grant once (X02)", async () => {
  const tickets = createTickets({ clock: manualClock() });
  const grant = grantOf("token:a");
  const ticket = tickets.issue(grant);
  expect(ticket).toMatch(/^[\w-]{43}$/);
  expect(tickets.redeem(ticket)).toBe(grant);
  for (const spent of [ticket, "", "x", "x".repeat(43), "x".repeat(1e6)]) {
    expect(await codeOf(() => tickets.redeem(spent))).toBe("UNAUTHENTICATED");
  }
  expect(new Set(Array.from({ length: 50 }, () => tickets.issue(grant))).size).toBe(50);
});

test("a ticket is good for 30 seconds and no longer (X02)", async () => {
  const clock = manualClock();
  const tickets = createTickets({ clock });
  const [early, late] = [tickets.issue(grantOf("a")), tickets.issue(grantOf("a"))];
  // The wall clock has no say in it.
  clock.jump(-86_400_000);
  clock.pass(29_999);
  expect(tickets.redeem(early).subject).toBe("a");
  clock.pass(1);
  expect(await codeOf(() => tickets.redeem(late))).toBe("UNAUTHENTICATED");
  expect(await codeOf(() => createTickets({ lifetimeMs: 30_001 }))).toBe("INVALID_ARGUMENT");
});

test("unused tickets are bounded, for each and for all, and make room when they are old or used", async () => {
  const clock = manualClock();
  const tickets = createTickets({ clock, maxTickets: 5, maxPerSubject: 2 });
  const issue = (subject: string) => () => tickets.issue(grantOf(subject));
  const first = tickets.issue(grantOf("a"));
  issue("a")();
  expect(await codeOf(issue("a"))).toBe("RATE_LIMITED");
  tickets.redeem(first);
  for (const subject of ["a", "b", "b", "c"]) expect(await codeOf(issue(subject))).toBe("none");
  expect(await codeOf(issue("d"))).toBe("RATE_LIMITED");
  clock.pass(30_000);
  for (const subject of ["a", "a", "d", "d", "e"]) expect(await codeOf(issue(subject))).toBe("none");
  expect(await codeOf(issue("f"))).toBe("RATE_LIMITED");
});
