import { describe, expect, it } from "vitest";
import { jsonLines } from "../../../src/storage/json-lines.ts";
import { readEvents, readUpgrade } from "../../../src/tracker/read.ts";
import { run, start, temporaryFolder, until } from "../command-line.ts";

const onlyUpgrade = async (path: string) => {
  const storage = jsonLines({ path });
  const [log] = await storage.list();
  return { storage, ref: log?.ref ?? "", ...(await readUpgrade(storage, log?.ref ?? "")) };
};

describe("milepost demo", () => {
  it("rehearses an EKS upgrade to its end, and says everywhere that it is a rehearsal", async () => {
    const storagePath = temporaryFolder();
    const { exitCode, stdout } = await run(["demo", "--speed", "max", "--storage-path", storagePath]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^REHEARSAL as fast as it goes: no cluster is touched, all that follows is made up\n/);
    expect(stdout).toContain("task Control plane 1.33 → 1.34 completed");
    expect(stdout).toMatch(/task ip-10-0-2-190 waits on PodDisruptionBudget shop\/checkout: .*\(remedy: kubectl/);
    expect(stdout).toContain("warning: pod shop/checkout-6d5f9c7b8-x2vqp cannot be evicted");
    expect(stdout).toContain("cleared: pod-eviction-blocked: checkout runs 3 replicas now");
    expect(stdout).toContain(`milepost replay rehearsal-`);
    const { state, holder, ref } = await onlyUpgrade(storagePath);
    expect(ref).toMatch(/^rehearsal-\d{8}-\d{6}$/);
    expect(state).toMatchObject({
      status: "completed",
      overallPercentage: 100,
      clusterName: "rehearsal",
      planId: "rehearsal",
      insights: [],
    });
    expect(state.phases.map(({ phase }) => phase)).toSatisfy(
      (phases: string[]) => phases.length === 6 && phases.every((phase) => phase.startsWith("Rehearsal: ")),
    );
    expect([...state.tasks.values()].every(({ status }) => status === "completed")).toBe(true);
    expect(holder).toBeUndefined();
  });

  it("takes a real upgrade's time, so many times as fast", async () => {
    const storagePath = temporaryFolder();
    expect(
      (await run(["demo", "--speed", "6000", "--quiet", "--no-watch", "--storage-path", storagePath])).stdout,
    ).toBe("");
    const { storage, ref } = await onlyUpgrade(storagePath);
    let lastMs = 0;
    for await (const { ms } of readEvents(storage, ref)) lastMs = ms;
    // Between an hour and two at its real speed.
    expect(lastMs * 6000).toBeGreaterThan(3_600_000);
  });

  it.each([
    ["SIGINT", 0],
    ["SIGTERM", 143],
  ])("[P10] left by %s cancels what is open and exits with %i", async (signal, exitCode) => {
    const storagePath = temporaryFolder();
    const demo = start(["demo", "--speed", "60", "--storage-path", storagePath]);
    await until(() => demo.stdout().includes("task Upgrade insights started"), "the first task");
    demo.signals.emit(signal);
    expect(await demo.done).toBe(exitCode);
    expect(demo.stdout()).toContain("The rehearsal was cancelled");
    const { state } = await onlyUpgrade(storagePath);
    expect(state).toMatchObject({ status: "cancelled", message: "the rehearsal was left" });
    expect([...state.tasks.values()].filter(({ status }) => status === "in_progress" || status === "paused")).toEqual(
      [],
    );
    expect(state.tasks.counts.cancelled).toBeGreaterThan(0);
    expect(state.overallPercentage).toBeLessThan(50);
  });
});
