import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { upgradeFromJson, type UpgradeProgress } from "../../../src/model/upgrade.ts";
import { usualTimesOnce } from "../../../src/server/api/earlier-upgrades.ts";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { comparePair } from "../../../src/view/upgrade/compare.ts";
import { manualClock, type ManualClock } from "../../manual-clock.ts";
import { tempFolder } from "../../temp-folder.ts";
import { usualTimes } from "../../view/usual.ts";
import { serve, type Served } from "./serve.ts";

interface Ran {
  readonly clusterName?: string;
  readonly planId?: string;
  /** How long the task takes (ms). */
  readonly takesMs?: number;
}

/** An upgrade of one task, from its start to its end. */
async function ran(server: Served, clock: ManualClock, upgradeId: string, more: Ran = {}): Promise<void> {
  const { clusterName = "prod", planId = "1.33", takesMs = 60_000 } = more;
  const tasks = [{ taskId: "t1", taskName: "Drain" }];
  const begun = await server.post("/api/v1/upgrades", { upgradeId, clusterName, planId, tasks });
  if (begun.status !== 201) throw new Error(begun.text);
  const commands = `/api/v1/upgrades/${upgradeId}/commands`;
  await server.post(commands, { type: "startTask", taskId: "t1" });
  clock.pass(takesMs);
  await server.post(commands, [{ type: "completeTask", taskId: "t1" }, { type: "completeUpgrade" }]);
  // The list follows what is written, a moment later.
  const listed = async (): Promise<unknown> =>
    (await server.get("/api/v1/upgrades")).json.upgrades.find(
      (other: { upgradeId: string }) => other.upgradeId === upgradeId,
    );
  await expect.poll(listed).toMatchObject({ status: "completed", durationMs: takesMs });
}

async function world(): Promise<{ readonly server: Served; readonly clock: ManualClock }> {
  const clock = manualClock();
  return { server: await serve({ clock }), clock };
}

const stateOf = async (server: Served, ref: string): Promise<UpgradeProgress> =>
  upgradeFromJson((await server.get(`/api/v1/upgrades/${ref}`)).json);

describe("what is usual for an upgrade", () => {
  test("is what its earlier runs and the upgrades of its cluster tell, and no others", async () => {
    const { server, clock } = await world();
    await ran(server, clock, "u1", { takesMs: 60_000 });
    await ran(server, clock, "u2", { takesMs: 120_000 });
    await ran(server, clock, "other", { clusterName: "test", takesMs: 1_000 });
    await ran(server, clock, "u2", { takesMs: 300_000 });
    const { status, json } = await server.get("/api/v1/upgrades/u2/usual");
    expect(status).toBe(200);
    expect(json).toMatchObject({ upgrades: 2, whole: { p50: 90_000, runs: 2 } });
    expect(json).toEqual(usualTimes([await stateOf(server, "u2@1"), await stateOf(server, "u1")]));
    expect(json.tasks).toEqual([expect.objectContaining({ taskId: "t1", p50: 90_000, runs: 2, startMs: 0 })]);
    expect((await server.get("/api/v1/upgrades/u2@1/usual")).json).toMatchObject({ upgrades: 1 });
  });

  test("comes from those of the same plan when the cluster has no other", async () => {
    const { server, clock } = await world();
    await ran(server, clock, "u1", { clusterName: "test", takesMs: 5_000 });
    await ran(server, clock, "u2", { clusterName: "dev", planId: "1.30" });
    await ran(server, clock, "u3");
    expect((await server.get("/api/v1/upgrades/u3/usual")).json).toMatchObject({ upgrades: 1, whole: { p50: 5_000 } });
  });

  test("is counted once for all who ask for the same ones, with turns for others in between", async () => {
    const { server, clock } = await world();
    await ran(server, clock, "u1");
    await ran(server, clock, "u2");
    const [u1, u2] = [await stateOf(server, "u1"), await stateOf(server, "u2")];
    const timesOf = usualTimesOnce();
    const [first, second] = [timesOf([u1, u2]), timesOf([u1, u2])];
    expect(second).toBe(first);
    let turns = 0;
    const turn = (): void => void ((turns += 1), setImmediate(turn).unref());
    setImmediate(turn);
    expect(await first).toEqual(usualTimes([u1, u2]));
    expect(turns).toBeGreaterThan(0);
    expect(await timesOf([u1])).toEqual(usualTimes([u1]));
    expect(timesOf([u1, u2])).toBe(first);
  });

  test("is nothing when there was none, and of no upgrade there is none", async () => {
    const { server, clock } = await world();
    await ran(server, clock, "u1");
    expect((await server.get("/api/v1/upgrades/u1/usual")).json).toEqual(usualTimes([]));
    expect((await server.get("/api/v1/upgrades/none/usual")).json).toMatchObject({ code: "UNKNOWN_UPGRADE" });
  });
});

describe("a comparison", () => {
  test("is with the newest earlier upgrade, or with the one that is named", async () => {
    const { server, clock } = await world();
    await ran(server, clock, "u1", { takesMs: 60_000 });
    await ran(server, clock, "u2", { takesMs: 90_000 });
    await ran(server, clock, "u3", { takesMs: 150_000 });
    const later = await stateOf(server, "u3");
    for (const [query, ref, moreMs] of [
      ["", "u2", 60_000],
      ["?with=u1", "u1", 90_000],
    ] as const) {
      const { status, json } = await server.get(`/api/v1/upgrades/u3/comparison${query}`);
      const asOf = { choices: ["u2", "u1"], asOfMs: clock.now() };
      expect([status, json]).toEqual([200, comparePair(await stateOf(server, ref), later, asOf)]);
      expect(json.whole.moreMs).toBe(moreMs);
    }
  });

  test("is with the newest that can be read when it is not said with which", async () => {
    const [path, clock] = [tempFolder(), manualClock()];
    const first = await serve({ clock, storage: jsonLines({ path }) });
    for (const takesMs of [60_000, 90_000, 150_000]) await ran(first, clock, "u1", { takesMs });
    await first.close();
    writeFileSync(join(path, "upgrades", "u1@2", "journal", "1.jsonl"), "no log\nat all\n");
    const server = await serve({ clock, storage: jsonLines({ path }) });
    const { status, json } = await server.get("/api/v1/upgrades/u1/comparison");
    expect([status, json.choices, json.whole.moreMs]).toEqual([200, ["u1@2", "u1@1"], 90_000]);
    expect((await server.get("/api/v1/upgrades/u1/comparison?with=u1@2")).status).not.toBe(200);
  });

  test("has no rows when there is nothing to compare with, and says what is not there", async () => {
    const { server, clock } = await world();
    await ran(server, clock, "u1");
    const { json } = await server.get("/api/v1/upgrades/u1/comparison");
    expect(json).toMatchObject({ earlier: null, choices: [], whole: null, phases: [], tasks: [] });
    const none = await server.get("/api/v1/upgrades/u1/comparison?with=none");
    expect([none.status, none.json.code, none.json.detail]).toEqual([
      404,
      "UNKNOWN_UPGRADE",
      expect.stringContaining('"none"'),
    ]);
    expect((await server.get("/api/v1/upgrades/u1/comparison?with=%01")).json.code).toBe("INVALID_ID");
  });
});
