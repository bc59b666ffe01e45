import type { ServerResponse } from "node:http";

import { describe, expect, it } from "vitest";

import type { Notifier, Outcome } from "../../src/notify/notifier.ts";
import { webhook, type WebhookOptions } from "../../src/notify/webhook.ts";
import { manualClock } from "../manual-clock.ts";
import { add, begin, fail, start, story } from "../view/story.ts";
import { rawReceiver, receiver, untrustedReceiver, type Receiver } from "./receivers.ts";

// With slashes and plus signs in it.
const SECRET = `whsec_${Buffer.alloc(32, "ab?>~\u00fb").toString("base64")}`;
const NEVER = new AbortController().signal;
const { state, events } = story([
  [0, start("Nodes"), add("ng-2"), begin("ng-2")],
  [9, fail("ng-2", "no room")],
]);
const FAILED = events.at(-1)!;

const hook = (url: string, more: Partial<WebhookOptions> = {}): Notifier =>
  webhook({ url, secrets: [SECRET], allowedAddresses: ["127.0.0.1"], ...more });
const tell = async (notifier: Notifier, signal = NEVER): Promise<Outcome> =>
  (await notifier.notify({ events: [FAILED], state }, { signal }))[0]!;

describe("a webhook", () => {
  it("sends the event, where the upgrade stands and what that means in one signed request", async () => {
    const { origin, requests } = await receiver();
    const clock = manualClock();
    const notifier = hook(`${origin}/hook?a=b`, { headers: { authorization: "Bearer abcdefgh" }, clock });
    expect(await tell(notifier)).toEqual({ status: "delivered", answer: "HTTP 200" });
    const [{ method, url, headers, body }] = requests as [(typeof requests)[0]];
    expect([method, url, headers.authorization]).toEqual(["POST", "/hook?a=b", "Bearer abcdefgh"]);
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["webhook-id"]).toBe(FAILED.id);
    expect(headers["webhook-timestamp"]).toBe(String(Math.floor(clock.now() / 1000)));
    expect(JSON.parse(body)).toEqual({
      type: "task.failed",
      timestamp: FAILED.time,
      data: {
        headline: "ng-2 failed (9s): no room",
        severity: "error",
        event: FAILED,
        upgrade: {
          ...{ upgradeId: "upgrade-123", planId: "plan-456", clusterName: "my-cluster", run: 1, seq: state.seq },
          ...{ status: "in_progress", currentPhase: "Nodes", overallPercentage: 0 },
        },
      },
    });
  });

  it("sends CloudEvents 1.0 where that is asked for", async () => {
    const { origin, requests } = await receiver();
    await tell(hook(origin, { format: "cloudevents" }));
    expect(requests[0]!.headers["content-type"]).toBe("application/cloudevents+json");
    const { data, ...attributes } = JSON.parse(requests[0]!.body);
    expect(attributes).toEqual({
      specversion: "1.0",
      id: FAILED.id,
      source: "/milepost/upgrades/upgrade-123",
      type: "milepost.task.failed",
      subject: "ng-2",
      time: FAILED.time,
      datacontenttype: "application/json",
      sequence: "0000000000000005",
      partitionkey: "upgrade-123",
    });
    expect(data.event).toEqual(FAILED);
  });

  it("keeps the id over tries and signs the time of each", async () => {
    const { origin, requests } = await receiver((_, response) => (response.statusCode = 500) && response.end());
    const clock = manualClock();
    const notifier = hook(origin, { clock });
    await tell(notifier);
    clock.pass(5_000);
    await tell(notifier);
    const [first, second] = requests.map(({ headers }) => headers) as [Received, Received];
    expect(second["webhook-id"]).toBe(first["webhook-id"]);
    expect(Number(second["webhook-timestamp"]) - Number(first["webhook-timestamp"])).toBe(5);
    expect(second["webhook-signature"]).not.toBe(first["webhook-signature"]);
  });

  it("sends an id that no header takes, or that a dot would make ambiguous, as its hash", async () => {
    const { origin, requests } = await receiver();
    const notifier = hook(origin);
    for (const id of ["a.b", "a\r\nx: y", "ü", "", "x".repeat(999), "plain_id-1"]) {
      const [outcome] = await notifier.notify({ events: [{ ...FAILED, id }], state }, { signal: NEVER });
      expect(outcome!.status).toBe("delivered");
    }
    const ids = requests.map(({ headers }) => headers["webhook-id"] as string);
    expect(new Set(ids).size).toBe(6);
    for (const id of ids) expect(id).toMatch(/^(plain_id-1|[0-9a-f]{64})$/);
  });

  it("is refused at once with options that cannot work", () => {
    const make = (more: object) => () => webhook({ url: "https://x.example.com/", secrets: [SECRET], ...more });
    expect(make({})).not.toThrow();
    for (const [more, message] of [
      [{ url: "" }, "url must be a URL"],
      [{ url: "http://x.example.com/" }, "url must begin with https:"],
      [{ url: "https://me:pw@x.example.com/" }, "name or password"],
      [{ secrets: [] }, "at least one secret"],
      [{ secrets: "whsec_x" }, "at least one secret"],
      [{ secrets: ["abc"] }, "whsec_"],
      [{ secrets: [`whsec_${Buffer.alloc(23).toString("base64")}`] }, "24 to 64 bytes"],
      [{ secrets: [`whsk_${Buffer.alloc(31).toString("base64")}`] }, "ed25519"],
      [{ secrets: [SECRET, SECRET.slice(0, -1)] }, "secrets [1]"],
      [{ format: "xml" }, "format must be one of"],
      [{ headers: { "Webhook-Id": "1" } }, "is set by the webhook"],
      [{ headers: { host: "x" } }, "is set by the webhook"],
      [{ headers: { "x y": "1" } }, "cannot be sent"],
      [{ headers: { x: "1\r\ny: 2" } }, "cannot be sent"],
      [{ allowedAddresses: ["all"] }, "allowedAddresses"],
    ] as const) {
      expect(make(more), message).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
      expect(make(more), message).toThrow(message);
    }
  });

  it("finds out whether anything answers, and takes any answer but 410 for a yes", async () => {
    const statuses = [200, 404, 405, 500, 410];
    const { origin, requests } = await receiver((_, response) => response.writeHead(statuses.shift()!).end());
    for (let time = 0; time < 4; time++) await hook(origin).check({ signal: NEVER });
    const unusable = expect.objectContaining({ code: "NOTIFIER_UNUSABLE" }) as Error;
    await expect(hook(origin).check({ signal: NEVER })).rejects.toThrow(unusable);
    expect(requests.map(({ method }) => method)).toEqual(Array(5).fill("GET"));
    await expect(hook((await untrustedReceiver()).origin).check({ signal: NEVER })).rejects.toThrow(unusable);
    await expect(hook(origin, { allowedAddresses: ["::1", "127.0.0.1"] }).close()).resolves.toBeUndefined();
  });
});
type Received = Readonly<Record<string, string>>;

const plain = (status: number, headers: Record<string, string> = {}, body = "") => ({
  open: () => receiver((_, response) => response.writeHead(status, headers).end(body)),
});
const raw = (bytes: string, end: "destroy" | "resetAndDestroy" | "none" = "none") => ({
  open: () =>
    rawReceiver((socket) => {
      if (bytes !== "") socket.write(bytes);
      if (end !== "none") setImmediate(() => socket[end]());
    }),
});
/** Sends for ever, as fast as it is taken; says how much that was. */
const endless = (status: number) => {
  let sent = 0;
  const pour = (response: ServerResponse): void => {
    while (!response.destroyed && sent < 2 ** 30) {
      sent += 65_536;
      if (!response.write(Buffer.alloc(65_536))) return void response.once("drain", () => pour(response));
    }
  };
  return {
    open: () => receiver((_, response) => pour(response.writeHead(status, { "content-length": String(2 ** 30) }))),
    sent: () => sent,
  };
};
const drip = {
  open: () =>
    receiver((_, response) => {
      const timer = setInterval(() => response.write("x"), 20);
      response.writeHead(200).on("close", () => clearInterval(timer));
    }),
};
const NOW = manualClock().now();
const DAY_MS = 86_400_000;
const delivered = { status: "delivered" };
const refused = (code: string) => ({ status: "refused", code });
const retry = (code: string, retryAfterMs?: number) => ({ status: "retry", code, retryAfterMs });
const after = (value: string) => plain(429, { "retry-after": value });
const ENDLESS = [endless(200), endless(500)] as const;

interface Row {
  readonly says: string;
  readonly open: () => Promise<Receiver>;
  readonly is: object;
}
const ROWS: readonly Row[] = [
  { says: "200", ...plain(200), is: delivered },
  { says: "200 with text", ...plain(200, {}, "thanks"), is: delivered },
  { says: "201", ...plain(201), is: delivered },
  { says: "202", ...plain(202), is: delivered },
  { says: "204", ...plain(204), is: delivered },
  { says: "301", ...plain(301, { location: "http://169.254.169.254/" }), is: refused("HTTP_301") },
  { says: "302", ...plain(302, { location: "http://169.254.169.254/" }), is: refused("HTTP_302") },
  { says: "304", ...plain(304), is: refused("HTTP_304") },
  { says: "307", ...plain(307, { location: "/elsewhere" }), is: refused("HTTP_307") },
  { says: "400", ...plain(400, {}, "bad"), is: refused("HTTP_400") },
  { says: "401", ...plain(401), is: refused("HTTP_401") },
  { says: "403", ...plain(403), is: refused("HTTP_403") },
  { says: "404", ...plain(404), is: refused("HTTP_404") },
  { says: "408", ...plain(408), is: retry("HTTP_408") },
  { says: "409", ...plain(409), is: retry("HTTP_409") },
  { says: "410", ...plain(410), is: refused("HTTP_410") },
  { says: "413", ...plain(413), is: refused("HTTP_413") },
  { says: "422", ...plain(422), is: refused("HTTP_422") },
  { says: "425", ...plain(425), is: retry("HTTP_425") },
  { says: "429", ...plain(429), is: retry("HTTP_429") },
  { says: "429 with seconds", ...after("30"), is: retry("HTTP_429", 30_000) },
  { says: "429 with a date", ...after(new Date(NOW + 90_000).toUTCString()), is: retry("HTTP_429", 90_000) },
  { says: "429 with a date gone by", ...after(new Date(NOW - 90_000).toUTCString()), is: retry("HTTP_429", 0) },
  { says: "429 with garbage", ...after("soon, say 10"), is: retry("HTTP_429") },
  { says: "429 with less than nothing", ...after("-5"), is: retry("HTTP_429") },
  { says: "429 with ten years", ...after("315360000"), is: retry("HTTP_429", DAY_MS) },
  { says: "429 with endless digits", ...after("9".repeat(400)), is: retry("HTTP_429", DAY_MS) },
  { says: "500", ...plain(500, {}, "<h1>\u0007oops</h1>\n"), is: retry("HTTP_500") },
  { says: "502", ...plain(502), is: retry("HTTP_502") },
  { says: "503 with seconds", ...plain(503, { "retry-after": "5" }), is: retry("HTTP_503", 5_000) },
  { says: "504", ...plain(504), is: retry("HTTP_504") },
  { says: "a reset", ...raw("", "resetAndDestroy"), is: retry("ECONNRESET") },
  { says: "nothing, and closes", ...raw("", "destroy"), is: retry("ECONNRESET") },
  { says: "nothing at all", ...raw(""), is: retry("TIMEOUT") },
  { says: "half a header", ...raw("HTTP/1.1 200 OK\r\ncontent-le", "destroy"), is: retry("ECONNRESET") },
  { says: "half a body", ...raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab", "destroy"), is: retry("ECONNRESET") },
  { says: "half a header, and waits", ...raw("HTTP/1.1 200 OK\r\nconte"), is: retry("TIMEOUT") },
  { says: "no HTTP", ...raw("220 mail.example.com ESMTP\r\n", "destroy"), is: { status: "retry" } },
  { says: "a header without end", ...raw(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(99_999)}`), is: { status: "retry" } },
  { says: "a drip of a body", ...drip, is: retry("TIMEOUT") },
  { says: "200 and a gigabyte", open: ENDLESS[0].open, is: delivered },
  { says: "500 and a gigabyte", open: ENDLESS[1].open, is: retry("HTTP_500") },
  { says: "TLS that nobody signed", open: untrustedReceiver, is: retry("DEPTH_ZERO_SELF_SIGNED_CERT") },
];

describe("a receiver's behaviour (N03)", () => {
  it.each(ROWS)("$says becomes the outcome it means", async ({ open, is }) => {
    const { origin, connections } = await open();
    const outcome = await tell(hook(origin, { timeoutMs: 250, clock: manualClock() }));
    expect(outcome).toMatchObject(JSON.parse(JSON.stringify(is)));
    expect("retryAfterMs" in outcome).toBe("retryAfterMs" in JSON.parse(JSON.stringify(is)));
    expect(connections()).toBe(1);
    if (outcome.status !== "delivered") {
      expect(outcome.message.length).toBeLessThanOrEqual(200);
      expect(outcome.message).toMatch(/^\P{Cc}+$/u);
    }
  });

  it("is not read further than 64 KiB", () => {
    for (const { sent } of ENDLESS) {
      expect(sent()).toBeGreaterThan(65_536);
      expect(sent()).toBeLessThan(32 * 2 ** 20);
    }
  });

  it("of no connection at all is tried again", async () => {
    const { port } = await receiver();
    const refusing = hook(`http://127.0.0.2:${port}`, { allowedAddresses: ["127.0.0.2"] });
    expect(await tell(refusing)).toMatchObject({ status: "retry", code: "ECONNREFUSED" });
  });

  it("of 410 ends all sending to it", async () => {
    const { origin } = await receiver((_, response) => response.writeHead(410).end());
    expect(await tell(hook(origin))).toMatchObject({ ...refused("HTTP_410"), endsAll: true });
  });

  it("matters no more once the caller ends it", async () => {
    const { origin } = await rawReceiver(() => undefined);
    const outcome = await tell(hook(origin), AbortSignal.timeout(50));
    expect(outcome).toMatchObject({ status: "retry", code: "CANCELLED" });
  });
});

describe("a secret", () => {
  const CANARIES = [SECRET, SECRET.slice(6), "s3cret/path-of+the-hook", "Bearer-t0ken-canary", "quest1on-canary"];
  const clean = (text: string): void => {
    for (const canary of CANARIES) {
      for (const form of [canary, encodeURIComponent(canary), canary.replaceAll("/", "\\/")])
        expect(text).not.toContain(form);
    }
  };

  it("is in nothing that is told, also when the receiver sends it back (G22)", async () => {
    const { origin, requests } = await receiver(({ url, headers, body }, response) => {
      const echo = JSON.stringify({ s: SECRET, url, token: headers.authorization, body }).replaceAll("/", "\\/");
      response.writeHead(400).end(`${echo}${encodeURIComponent(SECRET)}${SECRET.slice(6)}`);
    });
    const notifier = hook(`${origin}/s3cret/path-of+the-hook?key=quest1on-canary`, {
      headers: { authorization: "Bearer Bearer-t0ken-canary" },
    });
    const outcome = await tell(notifier);
    expect(requests[0]!.headers.authorization).toContain("Bearer-t0ken-canary");
    expect(outcome).toMatchObject({ status: "refused", message: expect.stringContaining("***") });
    clean(Object.values(outcome).join(" "));
    clean(JSON.stringify(notifier));
  });

  it("is in no error of wrong options (G22)", async () => {
    const path = "/s3cret/path-of+the-hook?key=quest1on-canary";
    for (const more of [
      { url: `http://x.example.com${path}` },
      { url: `x.example.com${path}` },
      { url: `https://10.0.0.1${path}` },
      { url: `data:${path}` },
      { url: `https://a:Bearer-t0ken-canary@x.example.com${path}` },
      { secrets: [SECRET.slice(6)] },
      { secrets: [`${SECRET}=`] },
      { headers: { x: "Bearer-t0ken-canary\n" } },
    ]) {
      try {
        webhook({ url: "https://x.example.com/", secrets: [SECRET], ...more });
        expect.fail(JSON.stringify(more));
      } catch (error) {
        clean(`${(error as Error).message} ${JSON.stringify(error)} ${String((error as Error).cause)}`);
      }
    }
  });
});
