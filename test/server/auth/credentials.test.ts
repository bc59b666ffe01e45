import { expect, test } from "vitest";

import { isMilepostError } from "../../../src/errors.ts";
import {
  credentialsOf,
  withoutSecrets,
  type CarriedBy,
  type Credentials,
} from "../../../src/server/auth/credentials.ts";
import { endedSessionCookie, sessionCookie, sessionCookieName } from "../../../src/server/auth/session-cookie.ts";

const carried = (headers: CarriedBy["headers"], url = "/", more: Partial<CarriedBy> = {}): CarriedBy => ({
  headers,
  url,
  isSecure: false,
  ...more,
});
const token = (text: string): Credentials => ({ kind: "token", token: text });
const NONE: Credentials = { kind: "none" };

test("credentials are found where they may stand, what was sent on purpose first", () => {
  const cookie = "a=b; milepost=from-cookie; milepost2=x";
  const cases: [CarriedBy, Credentials][] = [
    [carried({}), NONE],
    [carried({ authorization: "Bearer abc.d-e_f" }), token("abc.d-e_f")],
    [carried({ authorization: "bearer   abc=" }), token("abc=")],
    [carried({ authorization: "Basic dXNlcjpwYXNz" }), NONE],
    [carried({ "sec-websocket-protocol": "milepost.v1, bearer.abc.def" }), token("abc.def")],
    [carried({ "sec-websocket-protocol": "bearer.abc" }), token("abc")],
    [carried({ "sec-websocket-protocol": "milepost.v1, bearers.x, Bearer.x" }), NONE],
    [carried({ cookie }), { kind: "cookie", token: "from-cookie" }],
    [carried({ cookie: "milepost=" }), NONE],
    [carried({ cookie: "__Host-milepost=x" }), NONE],
    [carried({ cookie: "__Host-milepost=x; milepost=y" }, "/", { isSecure: true }), { kind: "cookie", token: "x" }],
    [carried({ cookie, authorization: "Bearer abc" }), token("abc")],
    [carried({ cookie }, "/ws?ticket=t1&channel=fleet"), { kind: "ticket", ticket: "t1" }],
    [carried({}, "/?token=abc", { allowTokenInUrl: true }), token("abc")],
    [carried({}, "/?access_token=abc#x", { allowTokenInUrl: true }), token("abc")],
    [carried({}, "/token/abc"), NONE],
  ];
  for (const [request, expected] of cases) expect([request, credentialsOf(request)]).toEqual([request, expected]);
});

test("what is not well formed, or there twice, is refused and never passed over (X02)", () => {
  const refused: CarriedBy[] = [
    carried({ authorization: "Bearer" }),
    carried({ authorization: "Bearer " }),
    carried({ authorization: "Bearer CANARY CANARY" }),
    carried({ authorization: "Bearer CANARY,CANARY" }),
    carried({ authorization: "Bearer CÄNARY" }),
    carried({ authorization: "Bearer\tCANARY", cookie: "milepost=x" }),
    carried({ "sec-websocket-protocol": "milepost.v1, bearer." }),
    carried({ "sec-websocket-protocol": "bearer.CANARY, bearer.other" }),
    carried({ authorization: "Bearer a", "sec-websocket-protocol": "bearer.CANARY" }),
    carried({ authorization: "Bearer CANARY" }, "/?ticket=t"),
    carried({ cookie: "milepost=CANARY; milepost=b" }),
    carried({}, "/?ticket="),
    carried({}, "/?ticket=CANARY&ticket=b"),
    carried({}, "/?token=CANARY"),
    carried({}, "/?a=b&access_token=CANARY"),
    carried({}, "/?%74oken=CANARY"),
    carried({ authorization: "Bearer good" }, "/?token=CANARY"),
  ];
  for (const request of refused) {
    try {
      credentialsOf(request);
      expect.unreachable(JSON.stringify(request));
    } catch (error) {
      expect(isMilepostError(error, "UNAUTHENTICATED"), JSON.stringify(request)).toBe(true);
      expect(JSON.stringify([(error as Error).message, error])).not.toContain("CANARY");
    }
  }
});

test("a URL is written to a log without what is secret in it (X02)", () => {
  const urls: [string, string][] = [
    ["/ws?ticket=CANARY&channel=fleet", "/ws?ticket=(secret)&channel=fleet"],
    ["/?a=1&token=CANARY", "/?a=1&token=(secret)"],
    ["/?%74oken=CANARY", "/?%74oken=(secret)"],
    ["/?ACCESS_TOKEN=CANARY", "/?ACCESS_TOKEN=(secret)"],
    ["/?access%5Ftoken=CANARY=CANARY", "/?access%5Ftoken=(secret)"],
    ["/?token", "/?token=(secret)"],
    ["/u/1#share=CANARY", "/u/1"],
    ["/u/1?x=1#share=CANARY", "/u/1?x=1"],
    ["/?%zz=1&tickets=1", "/?%zz=1&tickets=1"],
  ];
  for (const [url, expected] of urls) expect(withoutSecrets(url)).toBe(expected);
});

test("the cookie of a page: no script, no other site, and over https no other host", () => {
  const grant = { subject: "share:x", permissions: [], expiresAtMs: 61_500 };
  expect(sessionCookie({ token: "a.b-c_d", grant, isSecure: true, nowMs: 1_000 })).toBe(
    "__Host-milepost=a.b-c_d; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=60",
  );
  const lasting = { ...grant, expiresAtMs: null };
  const plain = sessionCookie({ token: "abc", grant: lasting, isSecure: false, nowMs: 0 });
  expect(plain).toBe("milepost=abc; Path=/; HttpOnly; SameSite=Strict");
  expect(credentialsOf(carried({ cookie: plain.split(";")[0] }))).toEqual({ kind: "cookie", token: "abc" });
  expect(endedSessionCookie(true)).toBe("__Host-milepost=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0");
  expect(sessionCookieName(false)).toBe("milepost");
  for (const token of ["CANARY; Domain=x", "CANARY\r\nX: y", "", "C".repeat(3_801)]) {
    expect(() => sessionCookie({ token, grant, isSecure: true, nowMs: 0 })).toThrow(/^(?!.*CANARY).*fits a cookie/);
  }
});
