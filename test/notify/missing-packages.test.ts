import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { tempFolder } from "../temp-folder.ts";

/** A loader as Node has it where the package was never installed. */
const LOADER = `
import { createRequire, registerHooks } from "node:module";
import Module from "node:module";
const isAway = (name) => name.startsWith("@aws-sdk/") || name === "nodemailer";
const missing = (name) => Object.assign(new Error("Cannot find package " + name), { code: "ERR_MODULE_NOT_FOUND" });
registerHooks({ resolve: (name, context, next) => { if (isAway(name)) throw missing(name); return next(name, context); } });
const find = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) { if (isAway(name)) throw missing(name); return find.call(this, name, ...rest); };
`;

const PROGRAM = `
const { emptyUpgrade } = await import("milepost");
const { email, EventBridgeNotifier, sms } = await import("milepost/notifiers");
const signal = new AbortController().signal;
const ids = { upgradeId: "u", planId: "p", clusterName: "c" };
const event = { seq: 1, cursor: "c", ms: 0, id: "e", type: "task.heartbeat", taskId: "t", time: "2026-11-23T12:00:00.000Z", upgradeId: "u" };
const batch = { events: [event], state: emptyUpgrade(ids) };
const warned = [];
const logger = { info() {}, warn: (text) => warned.push(text), error() {} };
const bus = new EventBridgeNotifier({ busName: "b", logger });
new EventBridgeNotifier({ logger });
const mail = { from: "a@example.com", to: "b@example.com" };
const all = [bus, sms({ to: "+491701234567" }), email({ ...mail, smtp: "smtp://127.0.0.1:1" }), email({ ...mail, ses: {} })];
const told = [];
for (const notifier of all) {
  const code = ({ code, message }) => [code, message];
  told.push(await notifier.notify(batch, { signal }).catch(code), (await notifier.check({ signal }).catch(code))[0]);
}
console.log(JSON.stringify({ isEnabled: bus.isEnabled(), told, warned: warned.slice(0, 2), sent: await bus.sendUpgradeStarted("u", "c", "p") }));
`;

describe("without the optional packages", () => {
  it("Milepost is imported all the same, and each notifier names the package that it needs", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "loader.mjs"), LOADER);
    const args = [
      "--conditions=milepost-source",
      "--import",
      join(folder, "loader.mjs"),
      "--input-type=module",
      "-e",
      PROGRAM,
    ];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
    expect(stderr).toBe("");
    const { isEnabled, told, warned, sent } = JSON.parse(stdout) as Record<string, unknown>;
    const needs = (feature: string, name: string) => [
      "MISSING_PACKAGE",
      `${feature} needs the package ${name}, which cannot be loaded: npm install ${name}`,
    ];
    expect(told).toEqual([
      needs("EventBridge", "@aws-sdk/client-eventbridge"),
      "MISSING_PACKAGE",
      needs("SMS", "@aws-sdk/client-sns"),
      "MISSING_PACKAGE",
      needs("Email by SMTP", "nodemailer"),
      "MISSING_PACKAGE",
      needs("Email by SES", "@aws-sdk/client-sesv2"),
      "MISSING_PACKAGE",
    ]);
    expect(isEnabled).toBe(false);
    expect(warned).toEqual(["nothing is sent to EventBridge (bus b): npm install @aws-sdk/client-eventbridge"]);
    expect(sent).toMatchObject({ status: "refused", code: "MISSING_PACKAGE" });
  });
});
