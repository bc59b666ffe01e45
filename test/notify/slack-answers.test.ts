import { spawnSync } from "node:child_process";

import { WebClient } from "@slack/web-api";
import { describe, expect, it } from "vitest";

import type { Notifier } from "../../src/notify/notifier.ts";
import { slack, type SlackBotOptions } from "../../src/notify/slack.ts";
import { manualClock } from "../manual-clock.ts";
import { ALL, answers, bot, NEVER, says, statuses, STORY } from "./slack-bot.ts";
import { slackServer, TOKEN, type Fault } from "./slack-server.ts";

describe("what Slack answers (N07)", () => {
  it.each<readonly [name: string, fault: Fault, outcome: object]>([
    [
      "429 with seconds",
      answers(429, { "retry-after": "30" }),
      { status: "retry", code: "ratelimited", retryAfterMs: 30_000 },
    ],
    ["429 with ten years", answers(429, { "retry-after": "315360000" }), { status: "retry", retryAfterMs: 86_400_000 }],
    ["429 without a number", answers(429, { "retry-after": "soon" }), { status: "retry" }],
    ["ratelimited", says("ratelimited"), { status: "retry", code: "ratelimited" }],
    ["internal_error", says("internal_error"), { status: "retry", code: "internal_error" }],
    ["invalid_auth", says("invalid_auth"), { status: "refused", code: "invalid_auth" }],
    ["channel_not_found", says("channel_not_found"), { status: "refused", code: "channel_not_found" }],
    ["is_archived", says("is_archived"), { status: "refused", code: "is_archived" }],
    ["500", answers(500, {}, "oops"), { status: "retry", code: "HTTP_500" }],
    ["503", answers(503), { status: "retry", code: "HTTP_503" }],
    ["403", answers(403), { status: "refused", code: "HTTP_403" }],
    ["204", answers(204), { status: "refused" }],
    ["no JSON", answers(200, {}, "<html>\u0007"), { status: "refused" }],
    ["a redirect", answers(302, { location: "http://169.254.169.254/" }), { status: "refused", code: "HTTP_302" }],
    ["a reset", (response) => response.socket?.resetAndDestroy(), { status: "retry", code: "ECONNRESET" }],
    ["nothing", () => undefined, { status: "retry", code: "TIMEOUT" }],
    ["too much", answers(200, {}, "x".repeat(1_100_000)), { status: "retry", code: "TOO_LARGE" }],
  ])("%s becomes the outcome it means", async (_, fault, outcome) => {
    const server = await slackServer();
    server.faults.push(fault);
    const { tell } = bot(server, { timeoutMs: 300 });
    const [told] = await tell(1, 2);
    expect(told).toMatchObject(outcome);
    expect((told as { message: string }).message).toMatch(/^\P{Cc}{1,200}$/u);
    expect(server.connections()).toBe(1);
  });

  it("is heeded for all upgrades: while Slack wants no requests there are none", async () => {
    const server = await slackServer();
    const { tell, notifier, clock } = bot(server);
    server.faults.push(answers(429, { "retry-after": "30" }));
    await tell(1, 2);
    clock.pass(10_000);
    const other = { events: [STORY.events[1]!], state: { ...STORY.state, upgradeId: "other" } };
    const [held] = await notifier.notify(other, { signal: NEVER });
    expect(held).toMatchObject({ status: "retry", code: "HELD_BACK", retryAfterMs: 20_000 });
    expect(server.connections()).toBe(1);
    clock.pass(20_000);
    expect(statuses(await notifier.notify(other, { signal: NEVER }))).toEqual(["delivered"]);
  });

  it("is asked for by many upgrades in turn, and those for whom there is no room soon come back later", async () => {
    const clock = manualClock();
    const server = await slackServer();
    const due: { at: number; resolve: () => void }[] = [];
    const sleep = (ms: number) => new Promise<void>((resolve) => due.push({ at: clock.monotonic() + ms, resolve }));
    const { notifier } = bot(server, { sleep }, clock);
    const told = Array.from({ length: 40 }, (_, n) =>
      notifier.notify({ events: [STORY.events[1]!], state: { ...STORY.state, upgradeId: `u${n}` } }, { signal: NEVER }),
    );
    await Promise.all(told.slice(11));
    for (const { resolve } of due) resolve();
    const codes = (await Promise.all(told)).map(([outcome]) =>
      outcome!.status === "retry" ? outcome!.code : outcome!.status,
    );
    expect(due.map(({ at }) => at - clock.monotonic())).toEqual(Array.from({ length: 10 }, (_, n) => (n + 1) * 1000));
    expect(codes).toEqual([...Array(11).fill("delivered"), ...Array(29).fill("HELD_BACK")]);
  });

  it("is not waited for once the caller ends it", async () => {
    const server = await slackServer();
    server.faults.push(() => undefined);
    const { notifier } = bot(server);
    const batch = { events: STORY.events, state: STORY.state };
    await expect(notifier.notify(batch, { signal: AbortSignal.timeout(50) })).rejects.toThrow("timeout");
    await expect(notifier.notify(batch, { signal: AbortSignal.abort(new Error("ended")) })).rejects.toThrow("ended");
  });
});

describe("a bot's options", () => {
  it("are refused at once when they cannot work, without the token", () => {
    for (const [options, message] of [
      [{ channel: "C1" }, "needs a token"],
      [{ channel: "C1", token: TOKEN, client: { apiCall: () => undefined } }, "one of them"],
      [{ channel: "", token: TOKEN }, "channel must be"],
      [{ channel: "C1", token: `${TOKEN}\n` }, "token must be"],
      [{ channel: "C1", client: {} }, "client must be"],
      [{ channel: "C1", token: TOKEN, webhookUrl: "https://hooks.slack.com/services/x" }, "not by both"],
      [{ channel: "C1", token: TOKEN, baseUrl: "javascript:1" }, "baseUrl"],
      [{ channel: "C1", token: TOKEN, slackApiUrl: "http://10.0.0.1/" }, "slackApiUrl"],
      [{ webhookUrl: "http://hooks.slack.com/services/secret-canary" }, "webhookUrl must begin with https:"],
    ] as const) {
      const make = (): Notifier => slack(options as unknown as SlackBotOptions);
      expect(make, message).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
      expect(make, message).toThrow(message);
      expect(make, message).not.toThrow(/canary/);
    }
  });

  it("are found to be right or wrong by asking Slack", async () => {
    const server = await slackServer();
    const check = (more: Partial<SlackBotOptions> = {}) => bot(server, more).notifier.check({ signal: NEVER });
    await check();
    await expect(check({ token: "xoxb-wrong" })).rejects.toThrow("does not take this token: invalid_auth");
    server.scopes = "channels:read";
    await expect(check()).rejects.toThrow(expect.objectContaining({ code: "NOTIFIER_UNUSABLE" }));
    await expect(check({ slackApiUrl: "https://localhost:1/", allowedAddresses: [] })).rejects.toThrow("FORBIDDEN");
  });

  it("may name a client of one's own", async () => {
    const server = await slackServer();
    const client = new WebClient(TOKEN, { slackApiUrl: server.api, retryConfig: { retries: 0 } });
    const { tell } = bot(server, { client, token: undefined });
    expect(statuses(await tell(1, ALL))).toEqual(Array(ALL - 1).fill("delivered"));
    expect(server.messages).toHaveLength(2);
  });

  it("need the package @slack/web-api only when something is told", () => {
    const script = `
      import { registerHooks } from "node:module";
      registerHooks({ resolve: (name, context, next) => {
        if (name === "@slack/web-api") throw Object.assign(new Error("gone"), { code: "ERR_MODULE_NOT_FOUND" });
        return next(name, context);
      } });
      const { slack } = await import("./src/notify/slack.ts");
      const notifier = slack({ token: "xoxb-1", channel: "C1" });
      await notifier.check({ signal: new AbortController().signal }).catch((error) => console.log(error.code, error.message));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(`${stdout}${stderr}`).toMatch(/^MISSING_PACKAGE .*npm install @slack\/web-api/);
  });
});

describe("the token", () => {
  it("is in nothing that is told, logged or thrown (G22)", async () => {
    const server = await slackServer();
    const { tell, notifier } = bot(server);
    const told: unknown[] = [notifier];
    for (const error of [TOKEN, encodeURIComponent(TOKEN), `x ${TOKEN} y`]) {
      server.faults.push(says(error));
      told.push(await tell(1, 2));
    }
    server.faults.push(answers(400, {}, TOKEN));
    told.push(await tell(1, 2));
    server.faults.push(says(TOKEN));
    told.push(
      await notifier
        .check({ signal: NEVER })
        .catch((error: unknown) => `${String(error)} ${String((error as Error).cause)}`),
    );
    expect(JSON.stringify(told)).toContain("***");
    expect(JSON.stringify(told)).not.toContain("canary");
  });
});
