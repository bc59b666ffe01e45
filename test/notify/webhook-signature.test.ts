import { execFileSync, spawnSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, verify as verifyWithKey } from "node:crypto";

import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { webhook } from "../../src/notify/webhook.ts";
import { createSigner } from "../../src/notify/webhook/signature.ts";
import { systemClock } from "../../src/tracker/clock.ts";
import { start, story } from "../view/story.ts";
import { receiver } from "./receivers.ts";

const secretOf = (fill: number, bytes = 32): string => `whsec_${Buffer.alloc(bytes, fill).toString("base64")}`;
const [OLD, NEW, OTHER] = [secretOf(1), secretOf(2), secretOf(3)];
const { state, events } = story([[0, start('Nodes: é 👍 \\ "')]]);
const STARTED = events.at(-1)!;

interface Message {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly body: string;
}

/** What a real receiver gets. */
async function sent(secrets: readonly string[], { aheadMs = 0, id = STARTED.id } = {}): Promise<Message> {
  const { origin, requests } = await receiver();
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const notifier = webhook({ url: origin, secrets, allowedAddresses: ["127.0.0.1"], clock });
  const batch = { events: [{ ...STARTED, id }], state };
  await notifier.notify(batch, { signal: new AbortController().signal });
  const { headers, body } = requests[0]!;
  const of = (name: string): string => headers[`webhook-${name}`] as string;
  return { id: of("id"), timestamp: of("timestamp"), signature: of("signature"), body };
}

const headersOf = ({ id, timestamp, signature }: Message): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature }).filter(
      ([, value]) => value !== "",
    ),
  );

function verdict(secret: string, message: Message): boolean {
  try {
    new Webhook(secret).verify(message.body, headersOf(message));
    return true;
  } catch (error) {
    // Anything else, such as an error about lengths that differ, is a fault.
    expect(error).toBeInstanceOf(WebhookVerificationError);
    return false;
  }
}

/** The rule of Standard Webhooks, in another language and by another hand. */
const PYTHON = `
import base64, hashlib, hmac, json, sys, time
def verify(secret, id, timestamp, signature, body):
    if not (id and timestamp and signature) or not timestamp.isdigit(): return False
    if abs(time.time() - int(timestamp)) > 300: return False
    key = base64.b64decode(secret[len("whsec_"):])
    mac = hmac.new(key, f"{id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    given = [part.split(",", 1) for part in signature.split(" ") if "," in part]
    return any(v == "v1" and hmac.compare_digest(s.encode(), base64.b64encode(mac)) for v, s in given)
print(json.dumps([verify(**case) for case in json.load(sys.stdin)]))
`;
const HAS_PYTHON = spawnSync("python3", ["--version"]).status === 0;

const plain = sent.bind(undefined, [OLD]);
const altered = async (change: (message: Message) => Partial<Message>): Promise<Message> => {
  const message = await plain();
  return { ...message, ...change(message) };
};
const cut = (signature: string, length: number): string => signature.slice(0, length);

/** How it is sent and with which secret it is checked: 25 ways, each with its right verdict. */
const CASES: readonly (readonly [name: string, isValid: boolean, secret: string, make: () => Promise<Message>])[] = [
  ["as it was sent", true, OLD, plain],
  ["with the shortest secret", true, secretOf(4, 24), () => sent([secretOf(4, 24)])],
  ["with the longest secret", true, secretOf(5, 64), () => sent([secretOf(5, 64)])],
  ["another's secret", false, OTHER, plain],
  ["two signatures, the old secret", true, OLD, () => sent([NEW, OLD])],
  ["two signatures, the new secret", true, NEW, () => sent([NEW, OLD])],
  ["two signatures, neither secret", false, OTHER, () => sent([NEW, OLD])],
  ["the old secret after the rotation", false, OLD, () => sent([NEW])],
  ["an altered body", false, OLD, () => altered(({ body }) => ({ body: body.replace("Nodes", "nodes") }))],
  ["a longer body", false, OLD, () => altered(({ body }) => ({ body: `${body} ` }))],
  ["an empty body", false, OLD, () => altered(() => ({ body: "" }))],
  ["another id", false, OLD, () => altered(({ id }) => ({ id: `${id}x` }))],
  ["another time", false, OLD, () => altered(({ timestamp }) => ({ timestamp: String(Number(timestamp) - 1) }))],
  ["a time that is none", false, OLD, () => altered(() => ({ timestamp: "soon" }))],
  ["301 s old", false, OLD, () => sent([OLD], { aheadMs: -301_500 })],
  ["290 s old", true, OLD, () => sent([OLD], { aheadMs: -290_000 })],
  ["302 s ahead", false, OLD, () => sent([OLD], { aheadMs: 302_500 })],
  ["290 s ahead", true, OLD, () => sent([OLD], { aheadMs: 290_000 })],
  ["no id", false, OLD, () => altered(() => ({ id: "" }))],
  ["no time", false, OLD, () => altered(() => ({ timestamp: "" }))],
  ["no signature", false, OLD, () => altered(() => ({ signature: "" }))],
  ["a shorter signature", false, OLD, () => altered(({ signature }) => ({ signature: cut(signature, -3) }))],
  [
    "v1a in place of v1",
    false,
    OLD,
    () => altered(({ signature }) => ({ signature: signature.replace("v1,", "v1a,") })),
  ],
  [
    "an unknown version beside it",
    true,
    OLD,
    () => altered(({ signature }) => ({ signature: `v9,AAAA ${signature}` })),
  ],
  ["an id with a dot", true, OLD, () => sent([OLD], { id: "a.1700000000" })],
];

describe("a signature (N12)", () => {
  it.each(CASES)("%s: valid is %s", async (_, isValid, secret, make) => {
    expect(verdict(secret, await make())).toBe(isValid);
  });

  it.skipIf(!HAS_PYTHON)("has the same verdict in another language", async () => {
    const cases = await Promise.all(CASES.map(async ([, , secret, make]) => ({ secret, ...(await make()) })));
    const told = execFileSync("python3", ["-c", PYTHON], { input: JSON.stringify(cases), encoding: "utf8" });
    expect(JSON.parse(told)).toEqual(CASES.map(([, isValid]) => isValid));
  });

  it("is the one that Standard Webhooks publishes for its example", () => {
    const sign = createSigner(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    const time = new Date(1_614_265_330_000);
    const signed = sign({ id: "msg_p5jXN8AQM9LWM0D4loKWxJek", time, body: '{"test": 2432232314}' });
    expect(signed).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("by ed25519 is checked with the public key alone, and stands beside one by HMAC", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const jwk = privateKey.export({ format: "jwk" });
    const [seed, point] = [jwk.d, jwk.x].map((part) => Buffer.from(part as string, "base64url")) as [Buffer, Buffer];
    for (const key of [seed, Buffer.concat([seed, point])]) {
      const message = await sent([`whsk_${key.toString("base64")}`, OLD]);
      const [v1a, v1, ...others] = message.signature.split(" ") as [string, string];
      expect(others).toEqual([]);
      const text = Buffer.from(`${message.id}.${message.timestamp}.${message.body}`);
      const given = Buffer.from(v1a.slice("v1a,".length), "base64");
      expect(verifyWithKey(null, text, createPublicKey(publicKey.export({ format: "pem", type: "spki" })), given)).toBe(
        true,
      );
      expect(verifyWithKey(null, Buffer.concat([text, text]), publicKey, given)).toBe(false);
      expect(verdict(OLD, { ...message, signature: v1 })).toBe(true);
      expect(verdict(OLD, message)).toBe(true);
    }
  });

  it("of any length is compared without a fault, and takes as long whatever of it is right (N13)", async () => {
    const message = await plain();
    for (let length = 0; length <= message.signature.length + 3; length++) {
      const signature = message.signature.padEnd(length, "A").slice(0, length);
      expect(verdict(OLD, { ...message, signature: `v1,${signature}` })).toBe(false);
    }
  });
});
