import { expect, test } from "vitest";

import { MilepostError, type ErrorCode } from "../../src/errors.ts";
import type { Access } from "../../src/server/access.ts";
import type { Grant } from "../../src/server/auth/grant.ts";
import { Ledger } from "../stream/ledger.ts";
import { frame, handshake, RawClient } from "../wire/raw-client.ts";
import { served, until, type Served } from "../wire/served.ts";

/** Tokens are names; `bad` is none, `old` has expired. */
function scripted(): Access & { revoked: Set<string>; left: number } {
  const grantOf = (subject: string): Grant => ({
    subject,
    permissions: [{ action: "watch", channel: subject === "other" ? "upgrade:another" : "*" }],
    expiresAtMs: Date.parse("2026-03-01T09:00:00.000Z"),
  });
  const access = {
    revoked: new Set<string>(),
    left: 0,
    authenticator: {
      anonymous: undefined,
      authenticate: async (token: string) => grantOf(token),
      isCurrent: ({ subject }: Grant) => !access.revoked.has(subject),
    },
    admit: async () => ({
      grant: undefined,
      leave: () => void (access.left += 1),
      authenticate: async (token: string) => {
        await new Promise(setImmediate);
        const refused = { bad: "UNAUTHENTICATED", old: "TOKEN_EXPIRED", fast: "RATE_LIMITED" } as Record<
          string,
          ErrorCode
        >;
        const code = refused[token];
        if (code !== undefined) throw new MilepostError(code, "no");
        return grantOf(token);
      },
    }),
    mayMessage: () => true,
    chooseProtocol: () => false as const,
  };
  return access;
}

async function arrived(at: Served): Promise<RawClient> {
  const client = new RawClient(at.port);
  client.send(handshake());
  await client.until(() => client.messages.some(({ type }) => type === "welcome"));
  return client;
}

test("[G1] W15: what is sent before the credentials is refused, and tells nothing; without any the connection ends in time", async () => {
  const access = scripted();
  const at = await served({ access, authTimeoutMs: 10_000 });
  const client = new RawClient(at.port);
  const say = (message: unknown): Buffer => frame(JSON.stringify(message));
  client.send(
    Buffer.concat([
      Buffer.from(handshake()),
      say({ type: "subscribe", channel: "upgrade:up" }),
      say({ type: "get_summary", channel: "upgrade:up" }),
      say({ type: "subscribe", channel: "upgrade:nowhere" }),
      say({ type: "ping" }),
    ]),
  );
  await client.until(() => client.messages.length >= 5);
  expect(client.messages.map(({ type, code, channels }) => code ?? channels ?? type)).toEqual([
    [],
    "UNAUTHENTICATED",
    "UNAUTHENTICATED",
    "UNAUTHENTICATED",
    "UNAUTHENTICATED",
  ]);
  expect(JSON.stringify(client.messages)).not.toContain("my-cluster");
  at.clock.pass(9_000);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(client.closeCode).toBeUndefined();
  at.clock.pass(1_500);
  await client.until(() => client.closeCode !== undefined);
  expect(client.closeCode).toBe(4501);
  client.destroy();
  await until("left", () => access.left === 1);
});

test("with its token in the first message a client gets what is there; a wrong token ends the connection", async () => {
  const at = await served({ access: scripted() });
  const client = await arrived(at);
  client.say({ type: "authenticate", token: "me", requestId: "r" });
  await client.until(() => client.messages.some(({ type }) => type === "subscribed"));
  expect(client.messages[1]).toMatchObject({
    type: "authenticated",
    subject: "me",
    channels: ["upgrade:up"],
    requestId: "r",
  });
  client.destroy();
  for (const [token, code] of [
    ["bad", 4501],
    ["old", 4401],
    ["fast", 4429],
  ] as const) {
    const refused = await arrived(at);
    refused.say({ type: "authenticate", token });
    await refused.until(() => refused.closeCode !== undefined);
    expect(refused.closeCode).toBe(code);
    refused.destroy();
  }
});

test("[G2] one who may not see an upgrade is told what one is told of an upgrade that there is not", async () => {
  const at = await served({ access: scripted() });
  const client = await arrived(at);
  client.say({ type: "authenticate", token: "other" });
  await client.until(() => client.messages.length >= 2);
  for (const id of ["up", "nowhere"]) client.say({ type: "subscribe", channel: `upgrade:${id}`, requestId: id });
  await client.until(() => client.messages.length >= 4);
  const answers = client.messages
    .slice(2)
    .map((answer) => JSON.stringify(answer).replaceAll(new RegExp(`\\b${String(answer["requestId"])}\\b`, "g"), "X"));
  expect(new Set(answers).size).toBe(1);
  client.destroy();
});

test("[G4] W17: credentials that end or are renewed while connected", async () => {
  const access = scripted();
  const at = await served({ access });
  const client = await arrived(at);
  const ledger = new Ledger(at.kept.facts);
  client.say({ type: "authenticate", token: "me" });
  await client.until(() => client.messages.some(({ type }) => type === "subscribed"));
  for (const message of client.frames)
    if (message.opcode === 1 && !message.payload.includes("authenticated")) ledger.take(message.payload.toString());
  client.take = (text) => (text.includes('"authenticated"') ? undefined : ledger.take(text));
  // New ones come before the old ones end: nothing is missed, nothing comes twice.
  at.kept.report(10);
  client.say({ type: "authenticate", token: "me2" });
  at.kept.report(10);
  await client.until(() => ledger.isAt(at.kept.end) || client.trouble !== undefined);
  access.revoked.add("me");
  await new Promise((resolve) => setTimeout(resolve, 400));
  at.kept.report(10);
  await client.until(() => ledger.isAt(at.kept.end) || client.trouble !== undefined);
  expect(client.trouble).toBeUndefined();
  expect(ledger.counts).toMatchObject({ subscribed: 1, events: 30 });
  // Now they end.
  access.revoked.add("me2");
  await client.until(() => client.closeCode !== undefined, 5_000);
  expect(client.closeCode).toBe(4401);
  const again = await arrived(at);
  again.say({ type: "authenticate", token: "me3" });
  at.kept.report(3);
  again.say({ type: "subscribe", channel: "upgrade:up", after: ledger.again() });
  await again.until(() => again.messages.some(({ type }) => type === "subscribed"));
  client.destroy();
  again.destroy();
});

test("one whose admission comes when it has gone is counted out again", async () => {
  const left: number[] = [];
  let admit = (): void => undefined;
  const base = scripted();
  const access: Access = {
    ...base,
    admit: async (request) => {
      await new Promise<void>((resolve) => (admit = resolve));
      return { ...(await base.admit(request)), leave: () => void left.push(1) };
    },
  };
  const at = await served({ access });
  const client = new RawClient(at.port);
  client.send(handshake());
  await until("it is there", async () => (await at.connections()) === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.socket.resetAndDestroy();
  await until("it has gone", async () => (await at.connections()) === 0);
  admit();
  await until("counted out", () => left.length === 1);
});

test("[G4] new credentials that allow less end what they do not allow, and nothing else", async () => {
  const at = await served({ access: scripted() });
  const client = await arrived(at);
  const say = (message: unknown): void => client.send(frame(JSON.stringify(message)));
  say({ type: "authenticate", token: "all" });
  await client.until(() => client.messages.some(({ type }) => type === "subscribed"));
  say({ type: "authenticate", token: "other" });
  await client.until(() => client.messages.some(({ code }) => code === "FORBIDDEN"));
  const events = client.messages.filter(({ seq }) => seq !== undefined).length;
  at.kept.tracker.setCurrentPhase("told to nobody");
  say({ type: "ping" });
  await client.until(() => client.messages.some(({ type }) => type === "pong"));
  expect(client.messages.filter(({ seq }) => seq !== undefined)).toHaveLength(events);
  client.socket.destroy();
});
