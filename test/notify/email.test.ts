import { createTransport } from "nodemailer";
import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { email, type EmailOptions } from "../../src/notify/email.ts";
import type { Outcome } from "../../src/notify/notifier.ts";
import { add, begin, fail, finish, start, story } from "../view/story.ts";
import { awsEndpoint, awsError } from "./aws-endpoint.ts";
import { keptLogger } from "./kept-logger.ts";
import { mailServer, valueOf, wordsOf, type MailReply, type MailServer } from "./mail-server.ts";

const { state, events } = story([
  [0, start("Nodes"), add("ng-1"), add("ng-2", { taskName: "Drain node group ng-2" }), begin("ng-1")],
  [65, finish("ng-1")],
  [70, begin("ng-2")],
  [250, fail("ng-2", "3 pods cannot be evicted")],
]);
const failed = events.find(({ type }) => type === "task.failed")!;
const signal = new AbortController().signal;
const PASSWORD = "CANARY pass/word";

const mailer = ({ port }: MailServer, options: Partial<EmailOptions> = {}) =>
  email({
    from: "Milepost <milepost@example.com>",
    to: "ops@example.org",
    smtp: `smtp://127.0.0.1:${port}`,
    ...options,
  });
const tell = (notifier: ReturnType<typeof email>, told: readonly ProgressEvent[] = [failed], now = state) =>
  notifier.notify({ events: told, state: now }, { signal });

describe("a mail", () => {
  it("says what happened in its subject, and the facts as text and as HTML", async () => {
    const server = await mailServer();
    const notifier = mailer(server, {
      baseUrl: "https://milepost.example.com",
      to: ["ops@example.org", "b@example.org"],
    });
    expect(await tell(notifier)).toEqual([{ status: "delivered", answer: expect.stringMatching(/^250 /) as string }]);
    const [mail] = server.mails;
    const header = (name: string) => wordsOf(valueOf(mail!.headers, name));
    expect(header("subject")).toBe("my-cluster: Drain node group ng-2 failed (3m 00s): 3 pods cannot be evicted");
    expect(header("from")).toBe("Milepost <milepost@example.com>");
    expect(header("to")).toBe("ops@example.org, b@example.org");
    expect(header("message-id")).toBe(`<${failed.id}@example.com>`);
    expect(header("auto-submitted")).toBe("auto-generated");
    expect(mail?.recipients).toEqual(["ops@example.org", "b@example.org"]);
    for (const part of [mail!.text, mail!.html]) {
      expect(part).toContain("Drain node group ng-2 failed (3m 00s): 3 pods cannot be evicted");
      expect(part).toContain("2026-11-23 12:04:10 UTC");
      expect(part).toContain("1 of 2 tasks completed");
      expect(part).toContain("https://milepost.example.com/#/upgrades/upgrade-123");
    }
    expect(mail?.html).not.toMatch(/<img|<script|<link|@import|url\(|\son\w+=/i);
    await notifier.close();
  });

  it("of several events tells them all in order, and leads with the worst", async () => {
    const server = await mailServer();
    const told = events.filter(({ type }) => ["task.started", "task.completed", "task.failed"].includes(type));
    const shuffled = [told.at(-1)!, ...told.slice(0, -1)];
    const outcomes = await tell(mailer(server), shuffled);
    expect(outcomes).toHaveLength(4);
    const [mail] = server.mails;
    expect(server.mails).toHaveLength(1);
    expect(wordsOf(valueOf(mail!.headers, "subject"))).toMatch(
      /^my-cluster: Drain node group ng-2 failed .* \(and 3 more\)$/,
    );
    expect(valueOf(mail!.headers, "message-id")).toBe(`<${shuffled[0]!.id}.${shuffled[3]!.id}@example.com>`);
    const places = ["ng-2 failed", "ng-1 started", "ng-1 completed", "ng-2 started"].map((text) =>
      mail!.text.slice(mail!.text.indexOf("\n")).indexOf(text),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(-1);
  });

  it("stands with the other mails of its upgrade", async () => {
    const server = await mailServer();
    const notifier = mailer(server);
    await tell(notifier, [events[1]!]);
    await tell(notifier);
    await tell(notifier, [failed], { ...state, run: 2 });
    const threads = server.mails.map(({ headers }) => valueOf(headers, "references"));
    expect(threads[0]).toMatch(/^<upgrade-[\da-f]{32}@example\.com>$/);
    expect(threads[1]).toBe(threads[0]);
    expect(threads[2]).not.toBe(threads[0]);
  });
});

describe("text from outside (N08)", () => {
  const HOSTILE = [
    "a\r\nBcc: evil@example.net",
    "a\nBcc: evil@example.net\n\n<script>alert(1)</script>",
    "a\rBcc: evil@example.net",
    "a\u2028Bcc: evil@example.net",
    "a\u0085Bcc: evil@example.net",
    "a\u000bBcc: evil@example.net\u000c",
    "a\u0000\r\n.\r\nMAIL FROM:<x@example.net>",
    "=?utf-8?Q?a=0D=0ABcc:_evil@example.net?=",
    "%0d%0aBcc: evil@example.net",
    "\\r\\nBcc: evil@example.net",
    `${"x".repeat(1_200)}\r\nBcc: evil@example.net`,
    `${"日本語".repeat(100)}\r\nBcc: evil@example.net`,
    '"><img src=x onerror=alert(1)>',
    "</td></tr></table><script>alert(1)</script>",
    "' style='background:url(//evil.example.net)",
    '<a href="javascript:alert(1)">x</a>',
    "&lt;script&gt;&#0;",
    "\u202egnp.exe",
    "\ud800 half",
    'bcc:evil@example.net,"x" <y@example.net>',
  ];
  const NAMES = new Set(
    "from to subject message-id auto-submitted references x-milepost-message content-type mime-version date".split(" "),
  );

  it.each(HOSTILE.map((text) => [text]))("injects nothing: %j", async (text) => {
    const server = await mailServer();
    const clusterName = text.replace(/\p{Cc}/gu, " ").toWellFormed();
    const name = text.slice(0, 1_000);
    const told = story([
      [0, start(name), add("t", { taskName: name }), begin("t", text)],
      [1, fail("t", text)],
    ]);
    const hostile = told.events.map((event) => ({ ...event, id: `${event.id}\r\nBcc: e@example.net` }));
    const now = { ...told.state, clusterName, upgradeId: clusterName };
    const outcomes = await tell(mailer(server, { baseUrl: "https://m.example.com" }), hostile.slice(1), now);
    expect(outcomes.map(({ status }) => status)).toEqual(hostile.slice(1).map(() => "delivered"));
    const [mail] = server.mails;
    expect(server.mails).toHaveLength(1);
    expect(mail?.recipients).toEqual(["ops@example.org"]);
    expect(mail!.headers.filter(([name]) => !NAMES.has(name))).toEqual([]);
    expect(mail!.headers.map(([name]) => name)).toHaveLength(NAMES.size);
    expect(valueOf(mail!.headers, "message-id")).toMatch(/^<[\da-f]{32}\.[\da-f]{32}@example\.com>$/);
    expect(Math.max(...mail!.raw.split("\r\n").map((line) => line.length))).toBeLessThanOrEqual(998);
    expect(mail!.raw.replaceAll("\r\n", "")).not.toMatch(/[\r\n]|\p{Cc}/u);
    const html = mail!.html;
    const tags = new Set([...html.matchAll(/<\/?([a-z]+\d?)/gi)].map(([, tag]) => tag!.toLowerCase()));
    expect([...tags].filter((tag) => !ALLOWED.has(tag))).toEqual([]);
    expect(html.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*(onerror|javascript|url\()/i);
    expect(html).not.toMatch(/[\p{Cs}\u202e]/u);
  });

  it("in settings is refused", () => {
    for (const from of ["a@b.c\r\nBcc: x@y.z", "A\r\nBcc: x <a@b.c>", "a@b.c, d@e.f", "no address", "A <a@b> <c@d>"]) {
      expect(() => email({ from, to: "a@b.c", ses: {} })).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
      expect(() => email({ from: "a@b.c", to: [from], ses: {} })).toThrow(/^to must be/);
    }
  });
});

const ALLOWED = new Set("html head meta title body table tr td div h1 a span br".split(" "));

describe("trouble", () => {
  it.each<[string, MailReply, Partial<Outcome>]>([
    ["451 greylisting", { code: 451, message: "come back" }, { status: "retry", code: "SMTP_451" }],
    ["421", { code: 421, message: "busy" }, { status: "retry", code: "SMTP_421" }],
    ["550", { code: 550, message: "no such user" }, { status: "refused", code: "SMTP_550" }],
    ["554", { code: 554, message: "spam" }, { status: "refused", code: "SMTP_554" }],
    ["a connection dropped after DATA", "drop", { status: "retry" }],
  ])("%s, and the Message-ID stays the same", async (_, reply, outcome) => {
    const server = await mailServer();
    server.onMail = () => reply;
    const notifier = mailer(server);
    expect(await tell(notifier)).toMatchObject([outcome]);
    server.onMail = () => undefined;
    expect(await tell(notifier)).toMatchObject([{ status: "delivered" }]);
    const ids = server.mails.map(({ headers }) => valueOf(headers, "message-id"));
    expect(ids).toEqual([`<${failed.id}@example.com>`, `<${failed.id}@example.com>`]);
  });

  it.each([
    [451, "retry"],
    [550, "refused"],
  ])("%i for the only recipient", async (code, status) => {
    const server = await mailServer();
    server.onRecipient = () => ({ code, message: "no" });
    expect(await tell(mailer(server))).toMatchObject([{ status, code: `SMTP_${code}` }]);
  });

  it("for one recipient of two is tried again for that one alone", async () => {
    const server = await mailServer();
    const logger = keptLogger();
    const notifier = mailer(server, { to: ["a@example.org", "b@example.org"], logger });
    server.onRecipient = (address) => (address.startsWith("b") ? { code: 451, message: "greylisted" } : undefined);
    expect(await tell(notifier)).toMatchObject([{ status: "retry", code: "SMTP_451" }]);
    expect(await tell(notifier)).toMatchObject([{ status: "retry" }]);
    server.onRecipient = () => undefined;
    expect(await tell(notifier)).toMatchObject([{ status: "delivered" }]);
    expect(server.mails.map(({ recipients }) => recipients)).toEqual([["a@example.org"], ["b@example.org"]]);
    expect(valueOf(server.mails[1]!.headers, "to")).toBe("a@example.org, b@example.org");
    expect(logger.lines[0]).toContain("1 of 2 recipients");
  });

  it("of a server that is not there is tried again, and of one that says nothing ends with the time", async () => {
    const server = await mailServer();
    const away = email({ from: "a@example.com", to: "b@example.org", smtp: "smtp://127.0.0.1:1" });
    expect(await tell(away)).toMatchObject([{ status: "retry", code: "ESOCKET" }]);
    await expect(away.check({ signal })).rejects.toMatchObject({ code: "NOTIFIER_UNUSABLE" });
    const slow = mailer(server, { smtp: { ...STILL } });
    const told = await slow.notify({ events: [failed], state }, { signal: AbortSignal.timeout(50) });
    expect(told).toMatchObject([{ status: "retry", code: "TIMEOUT" }]);
  });
});

const STILL = {
  sendMail: () => new Promise<never>(() => undefined),
  verify: async () => true,
  close: () => undefined,
};

describe("the password", () => {
  const withLogin = (server: MailServer, more: Partial<EmailOptions> = {}) =>
    mailer(server, { smtp: `smtp://ops:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}`, ...more });

  it("logs in, and is not repeated where it is refused", async () => {
    const server = await mailServer();
    const logger = keptLogger();
    const notifier = withLogin(server, { logger });
    expect(await tell(notifier)).toMatchObject([{ status: "delivered" }]);
    expect(server.logins).toEqual([{ user: "ops", password: PASSWORD }]);
    const base64 = Buffer.from(PASSWORD).toString("base64");
    server.onLogin = () => ({ code: 535, message: `${PASSWORD} ${base64} is wrong` });
    const told = [await tell(notifier), await tell(notifier)];
    expect(told[0]).toMatchObject([{ status: "retry", code: "EAUTH" }]);
    const checked = await notifier.check({ signal }).catch((error: unknown) => [String(error), JSON.stringify(error)]);
    expect(JSON.stringify(checked)).toContain("NOTIFIER_UNUSABLE");
    const all = JSON.stringify([told, logger.lines, checked]);
    expect(all).not.toContain("CANARY");
    expect(all).not.toContain(base64);
    expect(logger.lines).toHaveLength(1);
  });

  it("does not go over a network in the clear", async () => {
    const server = await mailServer();
    // 0.0.0.0 reaches this machine, and is no loopback address.
    const notifier = withLogin(server, { smtp: `smtp://ops:${encodeURIComponent(PASSWORD)}@0.0.0.0:${server.port}` });
    expect(await tell(notifier)).toMatchObject([{ status: "retry", code: "ETLS" }]);
    expect(server.logins).toEqual([]);
  });

  it("does not stand in the error about a URL that is none", () => {
    const error = (smtp: string) => {
      try {
        email({ from: "a@example.com", to: "b@example.org", smtp });
      } catch (thrown) {
        return String(thrown);
      }
      return "";
    };
    for (const url of [`http://ops:${PASSWORD}@x`, `smtp://ops:CANARY@`, "smtp://ops:CANARY%@x", "CANARY"]) {
      expect(error(url)).toContain("smtp must be a URL");
      expect(error(url)).not.toContain("CANARY");
    }
  });
});

describe("a transport of the caller's", () => {
  it("is used as it is", async () => {
    const server = await mailServer();
    const notifier = mailer(server, { smtp: createTransport({ host: "127.0.0.1", port: server.port }) });
    await notifier.check({ signal });
    expect(await tell(notifier)).toMatchObject([{ status: "delivered" }]);
    await notifier.close();
  });
});

describe("SES", () => {
  const bySes = (options: Partial<EmailOptions> = {}) =>
    email({ from: "Büro “Ops” <ops@example.com>", to: ["a@example.org"], ses: { awsRegion: "eu-west-1" }, ...options });

  it("gets the same mail, as fields of a request", async () => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () => ({ body: { MessageId: "ses-1" } });
    expect(await tell(bySes())).toEqual([{ status: "delivered", answer: "ses-1" }]);
    const [request] = endpoint.requests;
    expect(request?.operation).toBe("POST /v2/email/outbound-emails");
    expect(request?.headers.authorization).toContain("/eu-west-1/ses/aws4_request");
    const { FromEmailAddress, Destination, Content } = request!.input as Record<string, Record<string, unknown>>;
    expect(FromEmailAddress).toBe("=?UTF-8?B?QsO8cm8g4oCcT3Bz4oCd?= <ops@example.com>");
    expect(Destination).toEqual({ ToAddresses: ["a@example.org"] });
    expect(Content?.["Simple"]).toMatchObject({
      Subject: { Data: expect.stringMatching(/^my-cluster: Drain/) as string, Charset: "UTF-8" },
      Body: { Text: { Charset: "UTF-8" }, Html: { Data: expect.stringContaining("<!doctype html>") as string } },
      Headers: expect.arrayContaining([{ Name: "X-Milepost-Message", Value: failed.id }]) as unknown[],
    });
  });

  it.each([
    ["TooManyRequestsException", 429, "retry"],
    ["LimitExceededException", 400, "retry"],
    ["InternalServiceErrorException", 500, "retry"],
    ["MessageRejected", 400, "refused"],
    ["MailFromDomainNotVerifiedException", 400, "refused"],
    ["AccessDeniedException", 403, "refused"],
  ])("that answers %s", async (type, status, expected) => {
    const endpoint = await awsEndpoint();
    endpoint.reply = () =>
      ({ ...(awsError(type, "why", status) as object), headers: { "x-amzn-errortype": type } }) as never;
    expect(await tell(bySes())).toMatchObject([{ status: expected, code: type }]);
  });

  it("is checked: paused accounts are found, a sandbox is told of", async () => {
    const endpoint = await awsEndpoint();
    const logger = keptLogger();
    endpoint.reply = () => ({ body: { SendingEnabled: false } });
    await expect(bySes().check({ signal })).rejects.toMatchObject({ code: "NOTIFIER_UNUSABLE" });
    endpoint.reply = () => ({ body: { SendingEnabled: true, ProductionAccessEnabled: false } });
    await bySes({ logger }).check({ signal });
    expect(logger.lines).toEqual([expect.stringContaining("sandbox")]);
  });
});

describe("what the options may be", () => {
  it.each([
    ["neither way", {}],
    ["both ways", { smtp: "smtp://x", ses: {} }],
    ["nobody to write to", { ses: {}, to: [] }],
    ["a link to nowhere", { ses: {}, baseUrl: "javascript:alert(1)" }],
  ])("is not %s", (_, more) => {
    expect(() => email({ from: "a@example.com", to: "b@example.org", ...more })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });
});
