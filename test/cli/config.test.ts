import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";

import { configOf, type Config } from "../../src/cli/config.ts";
import { configSchema } from "../../src/cli/config/schema.ts";
import { systemClock } from "../../src/tracker/clock.ts";
import { silentLogger } from "../../src/tracker/logger.ts";
import { tempFolder } from "../temp-folder.ts";
import { run } from "./command-line.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const CANARY = "CANARY-0123456789-abcdef";

function written(config: unknown, folder = tempFolder()): string {
  const path = join(folder, "milepost.config.json");
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

const read = (config: unknown, env: Record<string, string> = {}): Promise<Config | undefined> =>
  configOf({ config: written(config) }, { env, clock: systemClock } as Parameters<typeof configOf>[1], silentLogger);

const ALL = {
  $schema: "./config.schema.json",
  notifiers: {
    bus: { kind: "eventbridge", busName: "upgrades", awsRegion: "eu-west-1", source: "ops", maxEntryBytes: 5000 },
    team: { kind: "slack", token: { env: "TOKEN" }, channel: "C0123456789", baseUrl: "https://m.example.com" },
    room: { kind: "slack", webhookUrl: { env: "HOOK" } },
    mail: { kind: "email", from: "M <m@example.com>", to: ["a@example.com"], smtp: { env: "SMTP" } },
    "mail-2": { kind: "email", from: "m@example.com", to: "b@example.com", ses: { awsRegion: "eu-west-1" } },
    phone: { kind: "sms", to: "+491701234567", maxPerHour: 3 },
    hook: {
      kind: "webhook",
      url: { env: "URL" },
      secrets: [{ env: "SECRET" }],
      headers: { authorization: { env: "TOKEN" }, "x-from": "milepost" },
      format: "cloudevents",
    },
  },
  rules: [
    { name: "urgent", to: ["phone"], events: ["*.failed"], minSeverity: "error", repeatMinutes: 30 },
    { turns: ["stuck", "recovered"], statuses: ["failed"], clusters: ["prod-*"], taskTypes: ["validation"] },
    { quietHours: { from: "22:00", to: "07:00", timeZone: "Europe/Berlin" } },
    { hours: { from: "08:00", to: "18:00" }, digestMinutes: 15 },
  ],
};
const ENV = {
  TOKEN: `xoxb-${CANARY}`,
  HOOK: `https://hooks.slack.com/services/${CANARY}`,
  SMTP: `smtps://user:${CANARY}@mail.example.com`,
  URL: `https://ops.example.com/${CANARY}`,
  SECRET,
};

describe("the config file", () => {
  it("makes a notifier of each kind, says whom it tells, and says no secret of it", async () => {
    const { notifiers = [], rules } = (await read(ALL, ENV)) ?? {};
    expect(notifiers.map(({ notifier: { name, kind }, target }) => [name, kind, target])).toEqual([
      ["bus", "eventbridge", "bus upgrades in eu-west-1"],
      ["team", "slack", "channel C0123456789"],
      ["room", "slack", "the channel of its incoming webhook"],
      ["mail", "email", "a@example.com"],
      ["mail-2", "email", "b@example.com"],
      ["phone", "sms", "+49…67"],
      ["hook", "webhook", "https://ops.example.com"],
    ]);
    expect(rules).toHaveLength(4);
  });

  it("may be without rules: then beginnings, ends, failures and what is wrong is told", async () => {
    expect((await read({ notifiers: {} }))?.rules.map(({ name }) => name)).toEqual(["default"]);
    expect((await read({ rules: [] }))?.rules).toEqual([]);
  });

  it("takes a secret out of a file of its own folder that others cannot read", async () => {
    const folder = tempFolder();
    const config = { notifiers: { hook: { ...ALL.notifiers.hook, headers: {}, secrets: [{ file: "secret" }] } } };
    const path = written(config, folder);
    const cli = { env: ENV, clock: systemClock } as unknown as Parameters<typeof configOf>[1];
    const reading = (): Promise<Config | undefined> => configOf({ config: path }, cli, silentLogger);
    await expect(reading()).rejects.toThrow(/notifiers\.hook\.secrets\[0\]: there is no file ".*secret"/);
    writeFileSync(join(folder, "secret"), `${SECRET}\n`, { mode: 0o644 });
    chmodSync(join(folder, "secret"), 0o644);
    await expect(reading()).rejects.toThrow(/secrets\[0\]: .*read by others .*chmod 600/);
    chmodSync(join(folder, "secret"), 0o600);
    expect((await reading())?.notifiers).toHaveLength(1);
    writeFileSync(join(folder, "secret"), "\n");
    await expect(reading()).rejects.toThrow(/is empty/);
  });

  it.each<[string, unknown, RegExp]>([
    ["is not JSON", "{", /is not JSON; `jq/],
    ["is empty", " \n", /is empty; write JSON into it/],
    [
      "has two notifiers of one name",
      '{ "notifiers": { "a": { "kind": "sms", "to": "+491701234567" }, "\\u0061": { "kind": "sms", "to": "+491701234568" } } }',
      /has "a" twice in one object, and only the last would count/,
    ],
    ["is no object", [], /: it must be an object, not an array/],
    ["has an unknown field", { notifier: {} }, /it has the field "notifier", which means nothing here/],
    ["has an unknown kind", { notifiers: { a: { kind: "fax" } } }, /notifiers\.a\.kind must be one of .*, not "fax"/],
    ["has a name that is none", { notifiers: { A: ALL.notifiers.phone } }, /notifiers\.A is no name of a notifier/],
    ["has a number for text", { notifiers: { a: { kind: "sms", to: 5 } } }, /notifiers\.a\.to must be text, not 5/],
    ["has an option that is wrong", { notifiers: { a: { kind: "sms", to: "5" } } }, /notifiers\.a: to must be .*"5"/],
    [
      "has Slack twice",
      { notifiers: { a: { kind: "slack", channel: "C" } } },
      /notifiers\.a must have token and channel/,
    ],
    ["has mail without a way", { notifiers: { a: { kind: "email", from: "a@b.c", to: "a@b.c" } } }, /smtp or ses/],
    [
      "has a rule for nobody",
      { notifiers: { a: ALL.notifiers.phone }, rules: [{ to: ["b"] }] },
      /rules\[0\].*"b".*are a/,
    ],
    [
      "has an event that is none",
      { rules: [{ events: ["upgrade.complete"] }] },
      /rules\[0\]\.events\[0\] matches no type/,
    ],
    [
      "has hours that are none",
      { rules: [{ hours: { from: "8", to: "9" } }] },
      /hours\.from must be a time of day.*"8"/,
    ],
    [
      "has a zone that is none",
      { ...ALL, rules: [{ hours: { from: "08:00", to: "09:00", timeZone: "X" } }] },
      /zone "X"/,
    ],
    [
      "repeats too often",
      { rules: [{ repeatMinutes: 0 }] },
      /repeatMinutes must be a whole number from 1 to 1440, not 0/,
    ],
    ["repeats a digest", { ...ALL, rules: [{ repeatMinutes: 9, digestMinutes: 9 }] }, /are for two rules/],
  ])("is refused when it %s", async (_what, config, message) => {
    const reading = read(config, ENV);
    await expect(reading).rejects.toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    await expect(reading).rejects.toThrow(message);
  });

  it("is read with a byte order mark before it, as some editors write", async () => {
    const config = await read(`\uFEFF${JSON.stringify({ notifiers: { a: ALL.notifiers.phone } })}`, ENV);
    expect(config?.notifiers).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ["a token", { kind: "slack", token: CANARY, channel: "C1" }],
    ["a hook", { kind: "slack", webhookUrl: CANARY }],
    ["a secret", { ...ALL.notifiers.hook, secrets: [CANARY] }],
    ["a password", { ...ALL.notifiers.mail, smtp: `smtp://u:${CANARY}@h` }],
  ])("holds no secret itself: %s is refused, and not shown", async (_what, entry) => {
    await expect(read({ notifiers: { a: entry } }, ENV)).rejects.toThrow(/\{"env": "NAME"\} or \{"file": "path"\}/);
    await expect(read({ notifiers: { a: entry } }, ENV)).rejects.not.toThrow(CANARY);
  });

  it.each([`{ "token": "x", ${CANARY} }`, `${CANARY}`, `{"token": "${CANARY}",}`])(
    "shows nothing of a file that is not JSON, also on the terminal: %s (X21)",
    async (text) => {
      const path = written(text);
      const ran = await run(["notify", "list", "--config", path], { env: ENV });
      expect([ran.exitCode, ran.stderr]).toEqual([2, expect.stringContaining("is not JSON; `jq . ")]);
      expect(ran.stdout + ran.stderr).not.toContain(CANARY.slice(0, 6));
      await expect(read(text)).rejects.toThrow(expect.not.objectContaining({ cause: expect.anything() }));
    },
  );

  it.each([
    ["a secret that is none", { ...ENV, SECRET: `whsec_${CANARY}` }],
    ["a URL that is none", { ...ENV, URL: `ftp://${CANARY}` }],
    ["a hook that is none", { ...ENV, HOOK: CANARY }],
    ["a header that cannot be sent", { ...ENV, TOKEN: `${CANARY}\n` }],
    ["a server that is none", { ...ENV, SMTP: `ftp://u:${CANARY}@h` }],
    ["a variable that is not set", { ...ENV, SECRET: "" }],
  ])("shows nothing of %s", async (_what, env) => {
    const reading = read(ALL, env);
    await expect(reading).rejects.toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    const { message, stack } = await reading.then(
      () => new Error("it was taken"),
      (error: unknown) => error as Error,
    );
    expect(`${message} ${stack}`).not.toContain(CANARY);
  });

  it("is described for editors by what is checked", async () => {
    const schema = configSchema();
    const page = new URL("../../docs/config.schema.json", import.meta.url);
    expect(JSON.parse(readFileSync(page, "utf8")), "milepost notify schema > docs/config.schema.json").toEqual(schema);
    expect(JSON.parse((await run(["notify", "schema"])).stdout)).toEqual(schema);
    const validate = new Ajv2020({ strict: false }).compile(schema);
    expect(validate(ALL), JSON.stringify(validate.errors)).toBe(true);
    const { team, mail, hook } = ALL.notifiers;
    for (const wrong of [
      { notifier: {} },
      { notifiers: { A: team } },
      { notifiers: { a: { kind: "fax" } } },
      { notifiers: { a: { ...team, channel: undefined } } },
      { notifiers: { a: { ...team, token: CANARY } } },
      { notifiers: { a: { ...mail, ses: {} } } },
      { notifiers: { a: { ...hook, secrets: [] } } },
      { rules: [{ minSeverity: "bad" }] },
      { rules: [{ repeatMinutes: 1441 }] },
    ])
      expect(validate(JSON.parse(JSON.stringify(wrong))), JSON.stringify(wrong)).toBe(false);
  });
});

describe("its pages", () => {
  const pageOf = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
  const page = pageOf("notifications.md");
  const env = { SLACK_BOT_TOKEN: "xoxb-1", SMTP_URL: "smtp://localhost", MILEPOST_WEBHOOK_SECRET: SECRET };

  it("show config files that are right", async () => {
    const shownConfigs = [...page.matchAll(/<!-- config: \w+ -->\n+```json\n([\s\S]*?)```/g)].map(
      ([, text = ""]) => text,
    );
    expect(shownConfigs).toHaveLength(2);
    for (const text of shownConfigs) {
      const path = written(text.replace("secrets/slack-hook", "hook"));
      writeFileSync(join(path, "../hook"), ENV.HOOK, { mode: 0o600 });
      const cli = { env, clock: systemClock } as unknown as Parameters<typeof configOf>[1];
      expect((await configOf({ config: path }, cli, silentLogger))?.notifiers).toHaveLength(2);
    }
  });

  it.each(["email", "eventbridge", "sms", "slack", "webhook"])("notify-%s.md shows its entry", async (kind) => {
    const [, entry] = /<!-- entry -->\n+```json\n([\s\S]*?)```/.exec(pageOf(`notify-${kind}.md`)) ?? [];
    const config = await read(`{"notifiers":{${entry ?? ""}}}`, env);
    expect(config?.notifiers.map(({ notifier }) => notifier.kind)).toEqual([kind]);
  });

  it("list every field of every kind and of a rule", () => {
    type Shape = { readonly properties: Readonly<Record<string, Shape & { readonly const?: string }>> };
    const { properties } = configSchema() as unknown as {
      readonly properties: {
        readonly notifiers: { readonly additionalProperties: { readonly oneOf: readonly Shape[] } };
        readonly rules: { readonly items: Shape };
      };
    };
    for (const kind of properties.notifiers.additionalProperties.oneOf) {
      const name = kind.properties["kind"]?.const ?? "";
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` `)) ?? "";
      const listed = [...row.matchAll(/`(\w+)`/g)].map(([, field = ""]) => (field === name ? "kind" : field));
      expect(listed.toSorted()).toEqual(Object.keys(kind.properties).toSorted());
    }
    const rules = page.split("\n## Rules\n")[1]?.split("\n## ")[0] ?? "";
    const listed = [...rules.matchAll(/^\| `(\w+)` +\|/gm)].map(([, field]) => field);
    expect(listed.toSorted()).toEqual(Object.keys(properties.rules.items.properties).toSorted());
  });
});
