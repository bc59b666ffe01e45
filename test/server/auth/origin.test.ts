import { describe, expect, test } from "vitest";

import { createAuthenticator, openAuthenticator } from "../../../src/server/auth/authenticator.ts";
import { checkBind } from "../../../src/server/auth/bind.ts";
import { checkHost, checkOrigin, isLoopbackHost, ownOrigin } from "../../../src/server/auth/origin.ts";
import { codeOf } from "./issuer.ts";

const verdict = async (act: () => void): Promise<string> => ((await codeOf(act)) === "none" ? "passes" : codeOf(act));

describe("the Origin of a request (X01)", () => {
  const ORIGINS: readonly [string | undefined, "passes" | "FORBIDDEN"][] = [
    [undefined, "passes"],
    ["https://good.com", "passes"],
    ["https://ops.example.com:8443", "passes"],
    ["null", "FORBIDDEN"],
    ["", "FORBIDDEN"],
    ["https://evil.com", "FORBIDDEN"],
    ["https://good.evil.com", "FORBIDDEN"],
    ["https://good.com.evil.com", "FORBIDDEN"],
    ["https://evilgood.com", "FORBIDDEN"],
    ["http://good.com", "FORBIDDEN"],
    ["https://good.com:444", "FORBIDDEN"],
    ["https://good.com:443", "FORBIDDEN"],
    ["https://GOOD.com", "FORBIDDEN"],
    ["https://good.com.", "FORBIDDEN"],
    ["https://good.com/", "FORBIDDEN"],
    ["https://ops.example.com", "FORBIDDEN"],
    ["https://user@good.com", "FORBIDDEN"],
    ["https://good.com https://evil.com", "FORBIDDEN"],
    ["wss://good.com", "FORBIDDEN"],
    ["file://", "FORBIDDEN"],
  ];

  test.each(ORIGINS)("%s: %s", async (origin, expected) => {
    const rules = { allowedOrigins: ["https://ops.example.com:8443"] };
    expect(await verdict(() => checkOrigin(origin, ownOrigin("good.com", true), rules))).toBe(expected);
    expect(
      await verdict(() => checkOrigin(origin, "http://localhost:8765", { allowedOrigins: ["https://good.com"] })),
    ).toBe(origin === "https://ops.example.com:8443" ? "FORBIDDEN" : expected);
  });

  test("the server's own is what its Host says, with the scheme that the browser speaks", async () => {
    expect(ownOrigin("localhost:8765", false)).toBe("http://localhost:8765");
    expect(ownOrigin("Good.com:443", true)).toBe("https://good.com");
    expect(ownOrigin("[::1]:8765", false)).toBe("http://[::1]:8765");
    for (const host of [undefined, "", "a b", "user@good.com", "good.com/x", "good.com:99999"]) {
      expect(ownOrigin(host, true)).toBeUndefined();
    }
    // Without an origin of its own, none is.
    expect(await verdict(() => checkOrigin("undefined", undefined, { allowedOrigins: [] }))).toBe("FORBIDDEN");
    expect(await verdict(() => checkOrigin("null", undefined, { allowedOrigins: ["null"] }))).toBe("FORBIDDEN");
  });
});

describe("the Host of a request (X04)", () => {
  const loopback = { boundTo: "127.0.0.1", allowedHosts: ["milepost.example.com", "other.example.com:8443"] };
  const REFUSED = [
    ...["evil.com", "evil.com:8765", "localhost.evil.com", "127.0.0.1.evil.com", "127.0.0.1.nip.io", "evil-localhost"],
    ...[
      "localhost.",
      "sub.localhost",
      "0.0.0.0",
      "0.0.0.0:8765",
      "192.168.1.5",
      "169.254.169.254",
      "[fd00::1]",
      "2130706433",
    ],
    ...[
      "0x7f.1",
      "[::1].evil.com",
      "[::1",
      "::1",
      "localhost:8765:1",
      "localhost:",
      "localhost@evil.com",
      "evil.com#localhost",
    ],
    ...[
      "",
      " localhost",
      "localhost evil.com",
      "other.example.com",
      "other.example.com:8444",
      "x.milepost.example.com",
    ],
  ];
  const TAKEN = [
    ...[
      "localhost",
      "localhost:8765",
      "LOCALHOST:1",
      "127.0.0.1",
      "127.0.0.1:8765",
      "127.8.8.8",
      "[::1]",
      "[::1]:8765",
    ],
    ...["milepost.example.com", "Milepost.Example.com:9000", "other.example.com:8443"],
  ];

  test.each(REFUSED)("a server of this machine is not %j", async (host) => {
    expect(await verdict(() => checkHost(host, loopback))).toBe("FORBIDDEN");
  });

  test.each(TAKEN)("a server of this machine may be %j", async (host) => {
    expect(await verdict(() => checkHost(host, loopback))).toBe("passes");
  });

  test("no Host is none", async () => {
    expect(await verdict(() => checkHost(undefined, loopback))).toBe("FORBIDDEN");
  });

  test("a server of the network may be any address, and of names only its own and those that are listed", async () => {
    for (const boundTo of ["0.0.0.0", "::", "", "10.0.0.5"]) {
      const rules = { boundTo, allowedHosts: ["milepost.example.com"] };
      for (const host of ["10.0.0.5:8765", "[fd00::1]:8765", "localhost", "milepost.example.com"]) {
        expect(await verdict(() => checkHost(host, rules))).toBe("passes");
      }
      for (const host of ["evil.com", "10.0.0.5.nip.io", "010.0.0.5", "167772165", ""]) {
        expect(await verdict(() => checkHost(host, rules))).toBe("FORBIDDEN");
      }
    }
    const named = { boundTo: "Milepost.Internal", allowedHosts: [] };
    expect(await verdict(() => checkHost("milepost.internal:8765", named))).toBe("passes");
    expect(await verdict(() => checkHost("evil.com", named))).toBe("FORBIDDEN");
  });
});

describe("what others reach is closed (G20)", () => {
  const tokens = [{ name: "a", token: "0123456789abcdefghij", permissions: ["report:*"] }];
  const closed = createAuthenticator({ tokens });
  const local = ["127.0.0.1", "::1", "localhost", "127.1.2.3", "::ffff:127.0.0.1", "[::1]"];
  const wide = [
    "0.0.0.0",
    "::",
    "",
    "10.0.0.5",
    "milepost.internal",
    "localhost.evil.com",
    "::ffff:10.0.0.1",
    "0",
    "127.1",
  ];

  test.each(local)("%j needs no authentication", async (host) => {
    expect(isLoopbackHost(host)).toBe(true);
    expect(await codeOf(() => checkBind({ host, authenticator: openAuthenticator, allowUnauthenticated: false }))).toBe(
      "none",
    );
  });

  test.each(wide)("[G1] %j needs it, or the operator's word", async (host) => {
    const bind =
      (authenticator: typeof closed, allowUnauthenticated = false) =>
      () =>
        checkBind({ host, authenticator, allowUnauthenticated });
    expect(await codeOf(bind(openAuthenticator))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(bind(createAuthenticator({ tokens, anonymous: ["report:upgrade:x"] })))).toBe(
      "INVALID_ARGUMENT",
    );
    expect(await codeOf(bind(closed))).toBe("none");
    expect(await codeOf(bind(createAuthenticator({ anonymous: ["watch:*"] })))).toBe("none");
    expect(await codeOf(bind(openAuthenticator, true))).toBe("none");
  });
});
