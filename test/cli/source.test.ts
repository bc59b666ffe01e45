/** What reads from a server beside what reads from the storage that it serves. */

import { afterEach, describe, expect, it } from "vitest";
import type { ProgressTracker } from "../../src/progress-tracker.ts";
import { createStorageServer, type StorageServer } from "../../src/server/storage-server.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { serve } from "../server/api/serve.ts";
import { run, start, temporaryFolder, until } from "./command-line.ts";
import { ended, openTracker, running } from "./recorded.ts";

let open: ProgressTracker | undefined;
afterEach(() => open?.close());

/** A server over a folder, which can be stopped and begin again at the same address. */
const restartable = async (storagePath: string) => {
  let server: StorageServer | undefined;
  let port = 0;
  const begin = async () => {
    server = createStorageServer({ storage: jsonLines({ path: storagePath }), port });
    ({ port } = await server.listen());
  };
  await begin();
  return {
    url: `http://127.0.0.1:${port}`,
    begin,
    stop: async () => {
      await server?.close();
      server = undefined;
    },
  };
};

/** Times of day and durations are those of the moment. */
const comparable = (text: string) =>
  text
    .replaceAll(/\d\d:\d\d:\d\d/g, "<time>")
    .replaceAll(/ +\d+s\b/g, " <duration>")
    .replaceAll(/, in about [\dms ]+$/gm, "");

describe("reading from a server", () => {
  it(
    "[P11] says of upgrades that have ended and of one that runs what the storage says",
    { timeout: 60_000 },
    async () => {
      const storagePath = temporaryFolder();
      await ended({ storagePath, upgradeId: "a/1", clusterName: "blue" });
      await ended({ storagePath, upgradeId: "b" }, "failed");
      await ended({ storagePath, upgradeId: "c" }, "cancelled");
      open = running({ storagePath, upgradeId: "d" });
      open.raiseInsight({ id: "i", level: "warning", message: "pod x cannot be evicted", remedy: "scale it" });
      const { url } = await serve({ storage: jsonLines({ path: storagePath }) });
      for (const words of [
        ["list"],
        ["list", "--status", "failed"],
        ["list", "--cluster", "blue"],
        ["list", "--status", "paused"],
        ["show", "a/1"],
        ["show", "b"],
        ["watch", "c"],
        ["watch", "a/1", "--json"],
        ["watch", "b", "--once"],
        ["wait", "a/1"],
        ["wait", "b"],
        ["wait", "d", "--until", "task:plane"],
        ["wait", "d", "--until", "phase:Control plane"],
        ["wait", "nope"],
        ["export", "a/1"],
        ["export", "d", "--format", "ndjson"],
        ["export", "b", "--format", "csv"],
        ["export", "nope"],
        ["replay", "c", "--speed", "max"],
        ["replay", "a/1", "--speed", "max", "--json"],
        ["watch", "nope"],
      ]) {
        const here = await run([...words, "--storage-path", storagePath]);
        const there = await run([...words, "--server", url]);
        expect([words, there.exitCode]).toEqual([words, here.exitCode]);
        const text = (said: string) =>
          comparable(said)
            .replaceAll(url, "<place>")
            .replaceAll(storagePath, "<place>")
            .replaceAll("<place>/", "<place>");
        expect([words, text(there.stdout)]).toEqual([words, text(here.stdout)]);
        if (here.exitCode === 3) expect(there.stderr).toContain("(UNKNOWN_UPGRADE)");
        else expect([words, there.stderr]).toEqual([words, here.stderr]);
      }
      const shown = await run(["show", "d", "--server", url]);
      const here = await run(["show", "d", "--storage-path", storagePath]);
      expect(comparable(shown.stdout)).toBe(comparable(here.stdout).replace(/ · written by.*(\n.*)?\n$/, "\n"));
      const json = JSON.parse((await run(["show", "d", "--json", "--server", url])).stdout);
      const own = JSON.parse((await run(["show", "d", "--json", "--storage-path", storagePath])).stdout);
      expect(json.state).toEqual(own.state);
      expect(json).not.toHaveProperty("holder");
      expect(Object.keys(json.summary)).toEqual(Object.keys(own.summary));
    },
  );

  it(
    "[P11] watches on over a restart of the server: every change once, and the loss said",
    { timeout: 60_000 },
    async () => {
      const storagePath = temporaryFolder();
      const tracker = (open = openTracker({ storagePath }));
      tracker.startUpgrade("One");
      for (const id of ["a", "b", "c"]) tracker.addTask(id, `Task ${id}`);
      const server = await restartable(storagePath);
      const lines = start(["watch", "upgrade-123", "--server", server.url]);
      const events = start(["watch", "upgrade-123", "--json", "--server", server.url]);
      const waits = start(["wait", "upgrade-123", "--until", "task:c", "--server", server.url]);
      try {
        await until(() => lines.stdout() !== "" && events.stdout() !== "", "the present");
        tracker.startTask("a");
        tracker.completeTask("a");
        await until(
          () => lines.stdout().includes("Task a completed") && events.stdout().includes("task.completed"),
          "the first changes",
        );
        await server.stop();
        await until(() => lines.stdout().includes("connection lost: reconnecting"), "the loss");
        tracker.startTask("b");
        tracker.completeTask("b");
        await server.begin();
        await until(() => lines.stdout().includes("Task b completed"), "what happened meanwhile", 30_000);
        tracker.startTask("c");
        tracker.completeTask("c");
        tracker.completeUpgrade();
        expect([await lines.done, await events.done, await waits.done]).toEqual([0, 0, 0]);
      } finally {
        for (const { signals } of [lines, events, waits]) signals.emit("SIGTERM");
        await server.stop();
      }
      expect(
        lines
          .stdout()
          .split("\n")
          .map((line) => line.slice(9))
          .filter((line) => !/^connection|^upgrade upgrade-123 on/.test(line)),
      ).toEqual([
        "task Task a started",
        "task Task a completed (0s)",
        "connected again",
        "task Task b started",
        "task Task b completed (0s)",
        "task Task c started",
        "task Task c completed (0s)",
        "upgrade completed (0s)",
        "",
      ]);
      const seqs = events
        .stdout()
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { seq: number }).seq);
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      expect(waits.stdout()).toMatch(/^upgrade upgrade-123 task Task c completed; running \(\d+s\)\n$/);
    },
  );

  it("refuses addresses and options that cannot be meant", async () => {
    const storagePath = temporaryFolder();
    expect(await run(["list", "--server", "ftp://x"])).toMatchObject({ exitCode: 2 });
    expect(await run(["list", "--server", "http://127.0.0.1:1", "--storage-path", storagePath])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("not both"),
    });
    expect(await run(["list", "--runs", "--server", (await serve()).url])).toMatchObject({ exitCode: 2 });
  });

  it.runIf(process.env["MILEPOST_LONG"])(
    "gives up a server that never answers with 6",
    { timeout: 40_000 },
    async () => {
      expect(await run(["watch", "x", "--server", "http://127.0.0.1:1"])).toMatchObject({
        exitCode: 6,
        stderr: expect.stringContaining("is a Milepost server running there?"),
      });
    },
  );

  it("takes server and token from the environment, after what stands on the command line", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "mine" });
    const other = temporaryFolder();
    await ended({ storagePath: other, upgradeId: "afar" });
    const { url } = await serve({ storage: jsonLines({ path: other }) });
    const env = { MILEPOST_SERVER: url };
    expect((await run(["list"], { env })).stdout).toContain("afar ");
    expect((await run(["list", "--storage-path", storagePath], { env })).stdout).toContain("mine ");
  });

  it("says who asks, and what a server says of it", async () => {
    const token = "watcher-".padEnd(40, "x");
    const storagePath = temporaryFolder();
    await ended({ storagePath });
    const { url } = await serve({
      storage: jsonLines({ path: storagePath }),
      auth: {
        authenticator: { tokens: [{ name: "watcher", token, permissions: ["watch:upgrade:upgrade-123"] }] },
        shareLinks: {},
        allowedHosts: [],
        allowedOrigins: [],
        trustedProxies: [],
        allowTokenInUrl: false,
      },
    });
    const watch = ["watch", "upgrade-123", "--server", url];
    expect(await run(watch)).toMatchObject({ exitCode: 7, stderr: expect.stringContaining("(UNAUTHENTICATED)") });
    expect(await run([...watch, "--token", token])).toMatchObject({ exitCode: 0 });
    expect(await run([...watch, "--json"], { env: { MILEPOST_TOKEN: token } })).toMatchObject({ exitCode: 0 });
  });

  it("watches all for as long as it is not left with --all, and tells of what is deleted", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "old" });
    const storage = jsonLines({ path: storagePath });
    const { url } = await serve({ storage });
    for (const place of [
      ["--storage-path", storagePath],
      ["--server", url],
    ]) {
      const lines = start(["watch", "--all", ...place]);
      const json = start(["watch", "--all", "--json", ...place]);
      await until(() => json.stdout().includes('"old"'), "the present");
      await ended({ storagePath, upgradeId: "new" });
      await until(() => lines.stdout().includes("new") && json.stdout().includes('"new"'), "what begins");
      await storage.delete("new");
      await until(() => lines.stdout().includes("upgrade new was deleted"), "what is deleted", 15_000);
      await until(() => json.stdout().includes('{"type":"removed","upgradeId":"new"}'), "what is deleted", 15_000);
      for (const { signals } of [lines, json]) signals.emit("SIGTERM");
      expect([await lines.done, await json.done]).toEqual([143, 143]);
    }
  });

  it("watches all upgrades of a server and of a storage alike", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "old" });
    const one = openTracker({ storagePath, upgradeId: "one" });
    const two = openTracker({ storagePath, upgradeId: "two" });
    for (const tracker of [one, two]) tracker.startUpgrade("Nodes");
    const { url } = await serve({ storage: jsonLines({ path: storagePath }) });
    const all = [
      start(["watch", "--storage-path", storagePath]),
      start(["watch", "--server", url]),
      start(["watch", "--json", "--server", url]),
    ];
    await until(() => all.every(({ stdout }) => stdout().includes("one") && stdout().includes("two")), "the present");
    one.completeUpgrade();
    two.failUpgrade("no capacity");
    expect(await Promise.all(all.map(({ done }) => done))).toEqual([7, 7, 7]);
    await Promise.all([one.close(), two.close()]);
    for (const { stdout } of all.slice(0, 2)) {
      const said = stdout()
        .trimEnd()
        .split("\n")
        .map((line) => line.slice(9))
        .sort();
      expect(said).toEqual([
        "upgrade one on my-cluster: completed, 100%",
        "upgrade one on my-cluster: running, percentage unknown, Nodes",
        "upgrade two on my-cluster: failed, 0%: no capacity",
        "upgrade two on my-cluster: running, percentage unknown, Nodes",
      ]);
    }
    const messages = (all[2]?.stdout() ?? "")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; summary: { upgradeId: string } });
    expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(["summary"]));
    expect(new Set(messages.map(({ summary }) => summary.upgradeId))).toEqual(new Set(["old", "one", "two"]));
  });
});
