import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";

import { expect, onTestFinished, test } from "vitest";

import { isMilepostError } from "../../../src/errors.ts";
import { createAuthenticator } from "../../../src/server/auth/authenticator.ts";
import { withoutSecrets } from "../../../src/server/auth/credentials.ts";
import { guardedAccess } from "../../../src/server/auth/guarded-access.ts";
import { createConnectionLimit } from "../../../src/server/auth/limits.ts";
import {
  createRequestGuard,
  type RequestGuard,
  type RequestGuardOptions,
} from "../../../src/server/auth/request-guard.ts";
import { createShareLinks } from "../../../src/server/auth/share-links.ts";
import { createTickets } from "../../../src/server/auth/tickets.ts";
import { manualClock } from "../../manual-clock.ts";
import { codeOf } from "./issuer.ts";

const TOKEN = "CANARY-token-0123456789";

/** A real server that answers with what its guard says, and keeps all that it would write to a log. */
async function served(more: Partial<RequestGuardOptions> = {}) {
  const clock = manualClock();
  const shareLinks = createShareLinks({ clock });
  const tickets = createTickets({ clock });
  const authenticator = createAuthenticator({
    tokens: [{ name: "ci", token: TOKEN, permissions: ["report:*"] }],
    shareLinks,
    clock,
  });
  const guard = createRequestGuard({ authenticator, tickets, boundTo: "127.0.0.1", clock, ...more });
  const log: string[] = [];
  const answer = async (request: IncomingMessage): Promise<string> => {
    try {
      const { credentials, grant, address, isSecure } = await guard.check(request);
      return [credentials, grant?.subject.split(":")[0] ?? "-", address, isSecure ? "https" : "http"].join(" ");
    } catch (error) {
      log.push(`${withoutSecrets(request.url ?? "")} ${inspect(error, { depth: 9 })} ${JSON.stringify(error)}`);
      return isMilepostError(error) ? error.code : String(error);
    }
  };
  const server = createServer((request, response) => void answer(request).then((text) => response.end(text)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const ask = (headers: Record<string, string> = {}, path = "/"): Promise<string> =>
    new Promise((resolve, reject) => {
      httpRequest({ port, path, headers, agent: false }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString())).on("end", () => resolve(text));
      })
        .on("error", reject)
        .end();
    });
  return { ask, log, port, clock, shareLinks, tickets, authenticator, guard };
}

test("a request is let in with each kind of credentials, and without any is nobody's", async () => {
  const { ask, shareLinks, tickets, authenticator } = await served();
  const { token: share } = await shareLinks.createShareToken("u");
  const ticket = tickets.issue(await authenticator.authenticate(TOKEN));
  expect(await ask()).toBe("none - 127.0.0.1 http");
  expect(await ask({ authorization: `Bearer ${TOKEN}` })).toBe("token token 127.0.0.1 http");
  expect(await ask({ "sec-websocket-protocol": `milepost.v1, bearer.${TOKEN}` })).toBe("token token 127.0.0.1 http");
  expect(await ask({ cookie: `milepost=${share}` })).toBe("cookie share 127.0.0.1 http");
  expect(await ask({}, `/ws?ticket=${ticket}`)).toBe("ticket token 127.0.0.1 http");
  expect(await ask({}, `/ws?ticket=${ticket}`)).toBe("UNAUTHENTICATED");
});

test("[G1] a page of another site is refused with whatever cookie, and so is a name that was made to lead here (X01, X04)", async () => {
  const { ask, port, log } = await served({ allowedOrigins: ["https://ops.example.com"] });
  const cookie = `milepost=${TOKEN}`;
  expect(await ask({ cookie, origin: "https://evil.com" })).toBe("FORBIDDEN");
  expect(await ask({ cookie, origin: "null" })).toBe("FORBIDDEN");
  expect(await ask({ cookie, origin: `http://localhost:${port + 1}`, host: `localhost:${port}` })).toBe("FORBIDDEN");
  expect(await ask({ cookie, host: `evil.com:${port}` })).toBe("FORBIDDEN");
  expect(await ask({ cookie, origin: `http://localhost:${port}`, host: `localhost:${port}` })).toMatch(/^cookie token/);
  expect(await ask({ cookie, origin: "https://ops.example.com" })).toMatch(/^cookie token/);
  expect(log.join("\n")).not.toContain("CANARY");
});

test("behind a listed proxy it is the caller's address and the browser's scheme that count (X07)", async () => {
  const { ask } = await served({ trustedProxies: ["127.0.0.1"], allowedHosts: ["milepost.example.com"] });
  const proxied = { host: "milepost.example.com", "x-forwarded-for": "9.9.9.9, 1.1.1.1", "x-forwarded-proto": "https" };
  expect(await ask({ ...proxied, origin: "https://milepost.example.com", cookie: `__Host-milepost=${TOKEN}` })).toBe(
    "cookie token 1.1.1.1 https",
  );
  expect(await ask({ ...proxied, origin: "http://milepost.example.com" })).toBe("FORBIDDEN");
  const alone = await served({ allowedHosts: ["milepost.example.com"] });
  expect(await alone.ask(proxied)).toBe("none - 127.0.0.1 http");
});

test("ten wrong tokens of one address are told so, and the right one of a neighbour passes by any door (X07, X31)", async () => {
  const { ask, guard } = await served();
  const answers: string[] = [];
  for (let n = 0; n < 30; n++) {
    answers.push(await ask({ authorization: `Bearer wrong-${n}`, "x-forwarded-for": `9.9.9.${n}` }));
  }
  expect(answers).toEqual([...Array<string>(10).fill("UNAUTHENTICATED"), ...Array<string>(20).fill("RATE_LIMITED")]);
  expect(await codeOf(() => guard.authenticate("127.0.0.1", "wrong"))).toBe("RATE_LIMITED");
  expect(await ask({ authorization: `Bearer ${TOKEN}` })).toMatch(/^token/);
  expect(await ask({ cookie: `milepost=${TOKEN}` })).toMatch(/^cookie/);
  expect(await ask({})).toMatch(/^none/);
  expect((await guard.authenticate("127.0.0.1", TOKEN)).subject).toBe("token:ci");
});

test("a browser with an old cookie is not barred for sending it with each request; other cookies are guesses", async () => {
  const { ask } = await served();
  for (let n = 0; n < 30; n++) expect(await ask({ cookie: "milepost=revoked" })).toBe("UNAUTHENTICATED");
  expect(await ask({ authorization: `Bearer ${TOKEN}` })).toMatch(/^token/);
  for (let n = 1; n < 10; n++) expect(await ask({ cookie: `milepost=guess-${n}` })).toBe("UNAUTHENTICATED");
  expect(await ask({ cookie: "milepost=guess-10" })).toBe("RATE_LIMITED");
  expect(await ask({ cookie: "milepost=revoked" })).toBe("UNAUTHENTICATED");
});

test("[G5] no door writes a secret to a log, in whatever state it comes (G22, X02)", async () => {
  const { ask, log, clock, shareLinks } = await served();
  const { token: share } = await shareLinks.createShareToken("u", 60_000);
  const [head, body] = share.split(".") as [string, string];
  const secrets = ["CANARY", share, `${head}.${body}`, body];
  clock.pass(61_000);
  const bad = [share, `${share}x`, `${head}.${body}.CANARY`, "CANARY", "CANARY CANARY", `${TOKEN}x`];
  const doors: ((text: string) => Promise<string>)[] = [
    (text) => ask({ authorization: `Bearer ${text}` }),
    (text) => ask({ "sec-websocket-protocol": `bearer.${text}` }),
    (text) => ask({ cookie: `milepost=${text}; milepost=${text}` }),
    (text) => ask({ cookie: `milepost=${text}` }),
    (text) => ask({}, `/?ticket=${encodeURIComponent(text)}`),
    (text) => ask({}, `/?token=${encodeURIComponent(text)}`),
    (text) => ask({}, `/ws?a=1&access_token=${encodeURIComponent(text)}`),
  ];
  for (const door of doors) {
    for (const text of bad) {
      expect(await door(text)).toMatch(/UNAUTHENTICATED|TOKEN_EXPIRED/);
      clock.pass(60_000);
    }
  }
  expect(log).toHaveLength(doors.length * bad.length);
  for (const secret of secrets) expect(log.join("\n")).not.toContain(secret);
});

test("a connection takes a place while it is there, and its messages and guesses are counted (X07)", async () => {
  const clock = manualClock();
  const authenticator = createAuthenticator({ tokens: [{ name: "ci", token: TOKEN, permissions: [] }], clock });
  const guard: RequestGuard = createRequestGuard({
    authenticator,
    tickets: createTickets(),
    boundTo: "0.0.0.0",
    clock,
  });
  const access = guardedAccess({ authenticator, guard, connections: createConnectionLimit({ perAddress: 2 }), clock });
  const request = { headers: { host: "10.0.0.1" }, url: "/", socket: { remoteAddress: "1.1.1.1" } } as IncomingMessage;
  const first = await access.admit(request);
  await access.admit(request);
  expect(await codeOf(() => access.admit(request))).toBe("RATE_LIMITED");
  first.leave();
  const admitted = await access.admit(request);
  expect([admitted.grant, (await admitted.authenticate(TOKEN)).subject]).toEqual([undefined, "token:ci"]);
  for (let n = 0; n < 10; n++) expect(await codeOf(() => admitted.authenticate("wrong"))).toBe("UNAUTHENTICATED");
  expect(await codeOf(() => admitted.authenticate("wrong"))).toBe("RATE_LIMITED");
  expect((await admitted.authenticate(TOKEN)).subject).toBe("token:ci");
  const [one, other] = [{}, {}];
  const passed = Array.from({ length: 60 }, () => access.mayMessage(one)).filter(Boolean);
  expect([passed.length, access.mayMessage(other)]).toEqual([50, true]);
  expect(access.chooseProtocol(new Set([`bearer.${TOKEN}`, "milepost.v1"]))).toBe("milepost.v1");
  expect(access.chooseProtocol(new Set([`bearer.${TOKEN}`]))).toBe(false);
});
