import { describe, expect, test } from "vitest";

import { MilepostError } from "../../../src/errors.ts";
import { addressList } from "../../../src/ip-addresses.ts";
import { clientAddress, isSecureRequest } from "../../../src/server/auth/client-address.ts";
import { createConnectionLimit, createFailureLimit, createTokenBucket } from "../../../src/server/auth/limits.ts";
import { unauthenticated } from "../../../src/server/auth/refusal.ts";
import { manualClock } from "../../manual-clock.ts";
import { codeOf } from "./issuer.ts";

describe("connections (X07)", () => {
  test("an address has 20, this machine as many as there are, and all together 10,000", async () => {
    const limit = createConnectionLimit();
    for (let n = 0; n < 20; n++) limit.enter("203.0.113.9");
    expect(await codeOf(() => limit.enter("203.0.113.9"))).toBe("RATE_LIMITED");
    expect(await codeOf(() => limit.enter("::ffff:203.0.113.9"))).toBe("RATE_LIMITED");
    limit.leave("203.0.113.9");
    // Nobody is there of this one.
    limit.leave("203.0.113.99");
    expect(await codeOf(() => limit.enter("203.0.113.9"))).toBe("none");
    expect(await codeOf(() => limit.enter("203.0.113.9"))).toBe("RATE_LIMITED");
    for (let n = 20; n < 10_000; n++) limit.enter(n % 2 === 0 ? "127.0.0.1" : "::1");
    expect(limit.count).toBe(10_000);
    expect(await codeOf(() => limit.enter("127.0.0.1"))).toBe("RATE_LIMITED");
    expect(await codeOf(() => limit.enter("203.0.113.10"))).toBe("RATE_LIMITED");
  });

  test("addresses of one IPv6 network count as one, those of another do not", async () => {
    const limit = createConnectionLimit({ perAddress: 2 });
    limit.enter("2001:db8:1:2::1");
    limit.enter("2001:db8:1:2:ffff::2");
    expect(await codeOf(() => limit.enter("2001:db8:1:2::3"))).toBe("RATE_LIMITED");
    expect(await codeOf(() => limit.enter("2001:db8:1:3::1"))).toBe("none");
  });
});

describe("messages (X07)", () => {
  test("50 at once, then 100 a minute, exactly", () => {
    const clock = manualClock();
    const bucket = createTokenBucket({ clock });
    const taken = (tries: number): number => Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length;
    expect(taken(200)).toBe(50);
    let inMinute = 0;
    for (let ms = 0; ms < 60_000; ms += 100) {
      clock.pass(100);
      inMinute += taken(5);
    }
    expect(inMinute).toBe(100);
    clock.pass(3_600_000);
    clock.jump(3_600_000);
    expect(taken(200)).toBe(50);
  });
});

describe("guesses (X07, X31)", () => {
  const wrong = (): never => {
    throw unauthenticated("unknown");
  };

  test("ten wrong ones of an address are told so in any minute, further ones to wait; all are looked at alike", async () => {
    const clock = manualClock();
    const limit = createFailureLimit({ clock });
    let looked = 0;
    const guess = async (address = "203.0.113.9"): Promise<string> =>
      codeOf(() => limit.guard(address, () => (looked++, wrong())));
    const first = await Promise.all(Array.from({ length: 10 }, () => guess()));
    expect(new Set(first)).toEqual(new Set(["UNAUTHENTICATED"]));
    for (let n = 0; n < 100; n++) expect(await guess()).toBe("RATE_LIMITED");
    // Neither answer is quicker for not having been looked at.
    expect(looked).toBe(110);
    expect(await guess("203.0.113.10")).toBe("UNAUTHENTICATED");
    clock.pass(59_999);
    expect(await guess()).toBe("RATE_LIMITED");
    clock.pass(1);
    expect(await guess()).toBe("UNAUTHENTICATED");
  });

  test("a right one passes, whatever else comes from its address, before, beside and after it", async () => {
    const limit = createFailureLimit({ clock: manualClock() });
    const guess = (n: number): Promise<string> =>
      codeOf(() =>
        limit.guard("203.0.113.9", async () => {
          await Promise.resolve();
          if (n % 100 !== 40) wrong();
        }),
      );
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => guess(n)));
    const count = (code: string): number => answers.filter((answer) => answer === code).length;
    expect([count("UNAUTHENTICATED"), count("RATE_LIMITED"), count("none")]).toEqual([10, 980, 10]);
    expect(await limit.guard("203.0.113.9", () => "right")).toBe("right");
  });

  test("only refused credentials count: not expired ones, not other trouble", async () => {
    const limit = createFailureLimit({ clock: manualClock() });
    for (const code of ["TOKEN_EXPIRED", "RATE_LIMITED", "FORBIDDEN"] as const) {
      for (let n = 0; n < 20; n++) {
        const expired = (): never => {
          throw new MilepostError(code, "x");
        };
        expect(await codeOf(() => limit.guard("203.0.113.9", expired))).toBe(code);
      }
    }
    expect(await limit.guard("203.0.113.9", () => 1)).toBe(1);
  });

  test("a bounded number of addresses is remembered, those that failed last", async () => {
    const limit = createFailureLimit({ clock: manualClock(), perMinute: 2, maxAddresses: 3 });
    const guess = (address: string): Promise<string> => codeOf(() => limit.guard(address, wrong));
    for (const address of ["a", "b", "c", "a", "d", "b"]) await guess(address);
    expect(await guess("a")).toBe("RATE_LIMITED");
    // Forgotten for "d", and counted anew since.
    expect(await guess("b")).toBe("UNAUTHENTICATED");
    expect(await guess("b")).toBe("RATE_LIMITED");
  });
});

describe("who is behind a proxy (X07)", () => {
  const proxies = addressList(["10.0.0.0/8", "fd00::/8"], "trustedProxies");
  const from = (remoteAddress: string | undefined, forwarded?: string, proto?: string) => ({
    remoteAddress,
    headers: { "x-forwarded-for": forwarded, "x-forwarded-proto": proto },
    isEncrypted: false,
  });

  test.each([
    ["203.0.113.9", undefined, "203.0.113.9"],
    ["203.0.113.9", "1.1.1.1", "203.0.113.9"],
    ["::ffff:203.0.113.9", "1.1.1.1", "203.0.113.9"],
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", "1.1.1.1", "1.1.1.1"],
    ["::ffff:10.0.0.1", "1.1.1.1", "1.1.1.1"],
    ["10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"],
    ["10.0.0.1", "6.6.6.6, 1.1.1.1, 10.9.9.9", "1.1.1.1"],
    ["10.0.0.1", "1.1.1.1:4711", "1.1.1.1"],
    ["fd00::1", "[2001:db8::1]:4711", "2001:db8::1"],
    ["10.0.0.1", "6.6.6.6, unknown, 10.9.9.9", "10.9.9.9"],
    ["10.0.0.1", "6.6.6.6, ", "10.0.0.1"],
    ["10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"],
    [undefined, "1.1.1.1", "unknown"],
  ])("%s with X-Forwarded-For %j is %s", (remote, forwarded, expected) => {
    expect(clientAddress(from(remote, forwarded), proxies)).toBe(expected);
    expect(clientAddress(from(remote, forwarded), addressList([], "none"))).toBe(
      remote === undefined ? "unknown" : remote.replace("::ffff:", ""),
    );
  });

  test("https is what the connection is, or what a listed proxy says last", () => {
    expect(isSecureRequest(from("203.0.113.9", undefined, "https"), proxies)).toBe(false);
    expect(isSecureRequest(from("10.0.0.1", undefined, "https"), proxies)).toBe(true);
    expect(isSecureRequest(from("10.0.0.1", undefined, "https, http"), proxies)).toBe(false);
    expect(isSecureRequest({ ...from("10.0.0.1"), isEncrypted: true }, proxies)).toBe(true);
    expect(isSecureRequest({ ...from("203.0.113.9", undefined, "http"), isEncrypted: true }, proxies)).toBe(true);
  });
});
