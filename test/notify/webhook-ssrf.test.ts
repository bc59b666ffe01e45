import { createHook } from "node:async_hooks";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import type { LookupFunction } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";

import { isMilepostError } from "../../src/errors.ts";
import type { Notifier } from "../../src/notify/notifier.ts";
import { slack } from "../../src/notify/slack.ts";
import { webhook } from "../../src/notify/webhook.ts";
import { start, story } from "../view/story.ts";
import { receiver } from "./receivers.ts";

const { state, events } = story([[0, start()]]);
const SECRETS = [`whsec_${Buffer.alloc(32, 7).toString("base64")}`];
const NEVER = new AbortController().signal;

/** Names and what they are asked for, one answer after the other; the last one stays. */
const NAMES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  localhost: [["127.0.0.1"]],
  "localhost.": [["127.0.0.1"]],
  "127.0.0.1.nip.io": [["127.0.0.1"]],
  "a.169-254-169-254.sslip.io": [["169.254.169.254"]],
  "metadata.google.internal": [["169.254.169.254"]],
  "six.example.com": [["::1"]],
  "mapped.example.com": [["::ffff:10.0.0.1"]],
  "both.example.com": [["93.184.215.14", "10.0.0.1"]],
  "zone.example.com": [["fe80::1"]],
  "private.example.com": [["192.168.0.10"]],
  "cgnat.example.com": [["100.64.0.1"]],
  // Public when it is looked at first, and not afterwards.
  "rebinding.example.com": [["93.184.215.14"], ["127.0.0.1"]],
};

/** Lets names lead where the table says. What `outbound.ts` does with the answer is its own. */
function fakeNames(): void {
  const real = dns.lookup;
  const asked = new Map<string, number>();
  const lookup: LookupFunction = (name, _options, callback) => {
    const answers = NAMES[name];
    const time = asked.get(name) ?? 0;
    asked.set(name, time + 1);
    const answer = answers?.[Math.min(time, answers.length - 1)];
    if (answer === undefined) return callback(Object.assign(new Error(`ENOTFOUND ${name}`), { code: "ENOTFOUND" }), []);
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
  (dns as { lookup: unknown }).lookup = lookup;
  syncBuiltinESMExports();
  onTestFinished(() => {
    (dns as { lookup: unknown }).lookup = real;
    syncBuiltinESMExports();
  });
}

/** Counts the calls of the system that connect, by whom ever in this process. */
function countConnects(): () => number {
  let connects = 0;
  const hook = createHook({ init: (_, type) => void (type === "TCPCONNECTWRAP" && connects++) }).enable();
  onTestFinished(() => void hook.disable());
  return () => connects;
}

type Make = (url: string, allowedAddresses: readonly string[]) => Notifier;

const byWebhook: Make = (url, allowedAddresses) =>
  webhook({ url, secrets: SECRETS, allowedAddresses, timeoutMs: 1_000 });
/** Everything that a configuration can name to be posted to. */
const KINDS: readonly (readonly [string, Make])[] = [
  ["a webhook", byWebhook],
  [
    "an incoming webhook of Slack",
    (webhookUrl, allowedAddresses) => slack({ webhookUrl, allowedAddresses, timeoutMs: 1_000 }),
  ],
  [
    "Slack's API",
    (slackApiUrl, allowedAddresses) =>
      slack({ token: "xoxb-1", channel: "C1", slackApiUrl, allowedAddresses, timeoutMs: 1_000 }),
  ],
];

/** What becomes of a notifier with this URL: the code that refuses it, or the code of its outcome. */
async function tell(url: string, allowedAddresses: readonly string[] = [], make = byWebhook): Promise<string> {
  try {
    const notifier = make(url, allowedAddresses);
    const [outcome] = await notifier.notify({ events: [events.at(-1)!], state }, { signal: NEVER });
    await notifier.close();
    return outcome?.status === "delivered" ? "delivered" : `${outcome?.status} ${outcome?.code}`;
  } catch (error) {
    return isMilepostError(error) ? error.code : String(error);
  }
}

const HOSTS: readonly string[] = [
  ...["127.0.0.1", "127.1", "127.255.255.254", "0.0.0.0", "0", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1"],
  ...["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[0:0:0:0:0:ffff:a00:1]", "[64:ff9b::7f00:1]"],
  ...[
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[ff02::1]",
    "[2002:7f00:1::]",
  ],
  ...[
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
  ],
  // Full-width digits and other dots that a URL takes for dots.
  ...["１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1"],
  ...Object.keys(NAMES).filter((name) => !name.startsWith("rebinding")),
];
const OTHERS: readonly string[] = [
  ...["http://169.254.169.254/", "http://x.example.com/", "http://localhost:8080/", "https://a@127.0.0.1/"],
  ...["https://a:b@x.example.com/", "https://[fe80::1%25eth0]/", "file:///etc/passwd", "gopher://127.0.0.1/"],
  ...[
    "ftp://127.0.0.1/",
    "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "data:,x",
    "//127.0.0.1/",
  ],
];

describe("an address that is posted to (G23, X20)", () => {
  it("counts real connections", async () => {
    const connects = countConnects();
    const { origin, connections } = await receiver((_, response) => response.end("ok"));
    for (const [name, make] of KINDS.slice(0, 2)) {
      const before = connections();
      expect(await tell(`${origin}/hook`, ["127.0.0.1"], make), name).toBe("delivered");
      expect(connections() - before, name).toBe(1);
    }
    expect(connects()).toBe(2);
  });

  it.each(KINDS)(
    "of %s that is not public is never connected to, however it is written or named",
    async (_name, make) => {
      fakeNames();
      const connects = countConnects();
      const urls = [...HOSTS.map((host) => `https://${host}/hook`), "https://10.0.0.1:22/", ...OTHERS];
      expect(urls.length).toBeGreaterThanOrEqual(45);
      const told = await Promise.all(urls.map(async (url) => [url, await tell(url, [], make)]));
      for (const [url, code] of told)
        expect(`${url} ${code}`).toMatch(/ (FORBIDDEN|refused FORBIDDEN|INVALID_ARGUMENT)$/);
      expect(connects()).toBe(0);
    },
  );

  it.each(KINDS)(
    "of %s is looked up once for each connection, and it is that answer that counts",
    async (_name, make) => {
      fakeNames();
      const connects = countConnects();
      // The first answer is public, but nothing but looking happens before the second, which is the one to connect to.
      await new Promise((resolve) => dns.lookup("rebinding.example.com", {}, resolve));
      expect(await tell("https://rebinding.example.com/hook", [], make)).toBe("refused FORBIDDEN");
      expect(connects()).toBe(0);
    },
  );

  it.each(KINDS)("of %s that a redirect names is not connected to", async (_name, make) => {
    const trap = await receiver();
    const connects = countConnects();
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of [trap.origin, "http://169.254.169.254/latest/meta-data/", "//127.0.0.1/", "/again"]) {
        const { origin, connections } = await receiver((_, response) => response.writeHead(status, { location }).end());
        expect(await tell(`${origin}/`, ["127.0.0.1"], make)).toBe(`refused HTTP_${status}`);
        expect(connections()).toBe(1);
      }
    }
    expect([trap.connections(), connects()]).toEqual([0, 20]);
  });
});
