import { describe, expect, it } from "vitest";

import { Delivery } from "../../../src/notify/delivery.ts";
import { ProgressTracker } from "../../../src/progress-tracker.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { DELIVERED, REFUSED, scriptedNotifier } from "../../notify/scripted-notifier.ts";
import { run, temporaryFolder, type Ran } from "../command-line.ts";
import { ENV, ops } from "../notifying.ts";

/** An upgrade of which `well` takes all, and `hook` refuses what fails. */
async function told(): Promise<{ storagePath: string; failed: { seq: number; id: string } }> {
  const storagePath = temporaryFolder();
  const refusing = scriptedNotifier("hook");
  refusing.answer = ({ type }) => (type.endsWith(".failed") ? REFUSED : DELIVERED);
  const tracker = new ProgressTracker({
    upgradeId: "up",
    planId: "p",
    clusterName: "c",
    storagePath,
    notifiers: [scriptedNotifier("well"), refusing],
  });
  tracker.startUpgrade();
  const failed = tracker.failUpgrade("no");
  await tracker.close();
  return { storagePath, failed };
}

describe("milepost notify", () => {
  it("lists what is configured before there is any upgrade", async () => {
    const { config } = await ops(temporaryFolder());
    const env = { ...ENV, MILEPOST_CONFIG: config, MILEPOST_STORAGE_PATH: temporaryFolder() };
    const { stdout, stderr, exitCode } = await run(["notify", "list"], { env });
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toMatch(/^ops \(webhook, .*\): not asked yet, 0 waiting, 0 dead letters$/m);
  });

  it("lists where each notifier stands", async () => {
    const { storagePath } = await told();
    const { stdout, exitCode } = await run(["notify", "list", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^up {2}hook: told up to event \d+ of run 1, 0 waiting, 1 dead letters, last call .* \(refused\)$/m,
    );
    expect(stdout).toMatch(
      /^up {2}well: told up to event \d+ of run 1, 0 waiting, 0 dead letters, last call .* \(delivered\)$/m,
    );
    const json = JSON.parse((await run(["notify", "list", "up", "--json", "--storage-path", storagePath])).stdout);
    expect(json).toMatchObject({
      configured: [],
      upgrades: [
        {
          upgradeId: "up",
          notifiers: [
            { notifier: "hook", deadLetters: 1, lastError: { code: "BAD_REQUEST" } },
            { notifier: "well", isCircuitOpen: false },
          ],
        },
      ],
    });
    expect((await run(["notify", "list", "--storage-path", temporaryFolder()])).stdout).toBe(
      "no notifier was told anything yet\n",
    );
    expect((await run(["notify", "list", "nope", "--storage-path", storagePath])).exitCode).toBe(3);
  });

  it("explains what became of an event, by its seq or its id", async () => {
    const { storagePath, failed } = await told();
    for (const event of [String(failed.seq), failed.id]) {
      const { stdout } = await run(["notify", "explain", "up", event, "--storage-path", storagePath]);
      expect(stdout).toContain(`upgrade.failed (event ${failed.seq}, ${failed.id})`);
      expect(stdout).toContain("  hook: dead: given up after 1 attempt: BAD_REQUEST: not like this");
      expect(stdout).toMatch(/ {4}\S+ attempt 1: refused BAD_REQUEST: not like this/);
      expect(stdout).toMatch(/ {2}well: delivered: taken at /);
    }
    const { stdout } = await run(["notify", "explain", "up", "1", "--storage-path", storagePath]);
    expect(stdout).toContain("  well: not sent: no rule selected it");
    expect((await run(["notify", "explain", "up", "99", "--storage-path", storagePath])).exitCode).toBe(2);
  });

  it("explains which call was of the event, and which of its being told again", async () => {
    const { storagePath, failed } = await told();
    const note = { at: "2026-11-23T03:00:00.000Z", run: 1, seq: failed.seq, id: `${failed.id}-repeat-2` };
    const again = JSON.stringify({ ...note, type: "upgrade.failed", outcome: "delivered", attempt: 1 });
    await jsonLines({ path: storagePath }).deliveries("up").addSent("well", [again]);
    const { stdout } = await run(["notify", "explain", "up", failed.id, "--storage-path", storagePath]);
    expect(stdout).toMatch(/ {4}\S+ attempt 1: delivered.*\n {4}\S+ repeat 2, attempt 1: delivered$/m);
  });

  it("has dead letters told again by whoever tells next", async () => {
    const { storagePath, failed } = await told();
    const { stdout } = await run(["notify", "redrive", "up", "hook", "--storage-path", storagePath]);
    expect(stdout).toBe("1 dead letters are told again by whoever tells hook now or next\n");
    const hook = scriptedNotifier("hook");
    const delivery = new Delivery({ notifier: hook, storage: jsonLines({ path: storagePath }), upgradeId: "up" });
    delivery.start();
    expect(await delivery.drain(5_000)).toBe(true);
    await delivery.close();
    expect(hook.taken).toContain(failed.seq);
    const after = await run(["notify", "list", "up", "--storage-path", storagePath]);
    expect(after.stdout).toMatch(/hook: .* 0 dead letters/);
    expect((await run(["notify", "redrive", "up", "nobody", "--storage-path", storagePath])).exitCode).toBe(2);
  });
});

/** Verbs with a config file of which the only notifier is `ops`, and an upgrade `up` that failed. */
async function configured(rules?: readonly object[]) {
  const folder = temporaryFolder();
  const told = await ops(folder, rules);
  const env = { ...ENV, MILEPOST_CONFIG: told.config, MILEPOST_STORAGE_PATH: folder };
  const milepost = (...argv: readonly string[]): Promise<Ran> => run(argv, { env });
  await milepost("upgrade", "start", "--upgrade", "up");
  return { told, milepost };
}

describe("milepost notify test", () => {
  it("sends one message that says that it is a test, and says where it went and what was answered", async () => {
    const { told, milepost } = await configured();
    const { exitCode, stdout, stderr } = await milepost("notify", "test", "ops");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^a test message was sent to ops \(webhook, http:\/\/127\.0\.0\.1:\d+\): HTTP 204\n$/);
    expect(told.events()).toEqual([
      expect.objectContaining({ upgradeId: "notification-test", phase: expect.stringContaining("This is a test") }),
    ]);
    const json = JSON.parse((await milepost("notify", "test", "ops", "--json")).stdout) as object;
    expect(json).toMatchObject({ notifier: "ops", kind: "webhook", status: "delivered", eventId: told.ids()[1] });
  });

  it("says why it was not taken, with exit code 1, and shows no secret", async () => {
    const { told, milepost } = await configured();
    told.answer = (_request, response) => response.writeHead(403).end(`bad ${ENV.WEBHOOK_SECRET}`);
    const { exitCode, stdout, stderr } = await milepost("notify", "test", "ops");
    expect([exitCode, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/^no test message could be sent to ops .*: HTTP_403: HTTP 403: bad \*\*\*\n$/);
    const unknown = await milepost("notify", "test", "nobody");
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('no notifier "nobody"; it has ops'),
    ]);
    const none = await run(["notify", "test", "ops"], { env: {} });
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining("there is no config file here")]);
  });
});

describe("milepost notify drain", () => {
  it("tells what no process has told, once", async () => {
    const { told, milepost } = await configured();
    expect(await milepost("notify", "drain")).toEqual({ exitCode: 0, stdout: "up  ops: 3 sent\n", stderr: "" });
    expect(await milepost("notify", "drain")).toEqual({ exitCode: 0, stdout: "nothing is left to tell\n", stderr: "" });
    expect(told.ids()).toHaveLength(3);
  });

  it("says what is left and why, with exit code 1, and tries it at once when it is called again", async () => {
    const { told, milepost } = await configured([{ events: ["upgrade.*"] }]);
    const works = told.answer;
    told.answer = (_request, response) => response.writeHead(503, { "retry-after": "3600" }).end("later");
    const drained = await milepost("notify", "drain", "up", "--timeout", "1s");
    expect(drained).toMatchObject({ exitCode: 1, stderr: "" });
    expect(drained.stdout).toBe(
      "up  ops: 0 sent; left: events of one task wait, from event 2 on: HTTP_503: HTTP 503: later\n",
    );
    const list = (await milepost("notify", "list")).stdout;
    expect(list).toMatch(
      /^ops \(webhook, http:\S+\): in trouble, 1 waiting, 0 dead letters, .*, last error .*HTTP_503/,
    );
    told.answer = works;
    const again = await milepost("notify", "drain", "--json");
    expect([again.exitCode, JSON.parse(again.stdout)]).toEqual([
      0,
      { drained: [{ upgradeId: "up", notifier: "ops", sent: 1, deadLetters: 0 }] },
    ]);
    expect((await milepost("notify", "list")).stdout).toMatch(
      /^ops \(.*\): ready, 0 waiting, 0 dead letters, last call .*\(delivered\)/,
    );
  });

  it("counts what becomes a dead letter as trouble", async () => {
    const { told, milepost } = await configured([{ events: ["upgrade.*"] }]);
    told.answer = (_request, response) => response.writeHead(400).end();
    expect(await milepost("notify", "drain")).toMatchObject({
      exitCode: 1,
      stdout: "up  ops: 0 sent, 1 became dead letters\n",
    });
  });

  it("sends no history of what had ended before, unless it is named", async () => {
    const { told, milepost } = await configured([{ events: ["upgrade.*"] }]);
    await milepost("upgrade", "complete", "--upgrade", "up");
    expect((await milepost("notify", "drain")).stdout).toBe("nothing is left to tell\n");
    expect((await milepost("notify", "drain", "up")).stdout).toBe("up  ops: 2 sent\n");
    expect(told.events().map(({ type }) => type)).toEqual(["upgrade.started", "upgrade.completed"]);
    expect((await milepost("notify", "drain", "nope")).exitCode).toBe(3);
  });
});

describe("milepost notify explain, with a config", () => {
  it("says which rule selects an event, or why none does", async () => {
    const { milepost } = await configured([{ name: "urgent", events: ["*.failed"] }, { events: ["upgrade.started"] }]);
    const before = (await milepost("notify", "explain", "up", "2")).stdout;
    expect(before).toContain(
      "  ops: not reached: it was never told of this upgrade\n    the rules now: rule 2 selects it\n",
    );
    await milepost("notify", "drain");
    expect((await milepost("notify", "explain", "up", "2")).stdout).toMatch(
      /ops: delivered: .*\n.*delivered: HTTP 204\n.*rule 2 selects it\n$/,
    );
    expect((await milepost("notify", "explain", "up", "1")).stdout).toContain(
      "the rules now: select it not: urgent: the rule wants events *.failed; rule 2: the rule wants events upgrade.started",
    );
    const json = JSON.parse((await milepost("notify", "explain", "up", "2", "--json")).stdout) as object;
    expect(json).toMatchObject({ notifiers: [{ notifier: "ops", verdict: "delivered", rules: "rule 2 selects it" }] });
  });
});
