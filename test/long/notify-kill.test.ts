/** Agents that die while their notifiers are told: at any time, 300 times on one log (N01), and at each system call (N02). */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it, onTestFinished } from "vitest";

import { Delivery } from "../../src/notify/delivery.ts";
import { EventBridgeNotifier } from "../../src/notify/eventbridge.ts";
import type { Notifier } from "../../src/notify/notifier.ts";
import { webhook } from "../../src/notify/webhook.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { killNow, randomOf, startChild } from "../faults/child.ts";
import { quickFolder } from "../faults/quick-folder.ts";
import { eventsOnDisk } from "../faults/stored.ts";
import { meddle, straceTrouble } from "../faults/strace.ts";
import { awsEndpoint } from "../notify/aws-endpoint.ts";
import { detailOf, entriesOf } from "../notify/event-bus.ts";
import { receiver } from "../notify/receivers.ts";
import { manualDeliveryClock } from "../notify/scripted-notifier.ts";

const CYCLES = 300;
const LIMIT_MS = 3_600_000;
/** The most that one call has under way. */
const [HOOK_BATCH, BUS_BATCH] = [32, 10];

const hook = (url: string): Notifier =>
  webhook({ url, secrets: [`whsec_${Buffer.alloc(32, 7).toString("base64")}`], allowedAddresses: ["127.0.0.1"] });

/** How often each id was taken. */
class Taken {
  readonly times = new Map<string, number>();
  count(id: string): void {
    this.times.set(id, (this.times.get(id) ?? 0) + 1);
  }
  get repeated(): number {
    return [...this.times.values()].reduce((sum, times) => sum + times - 1, 0);
  }
}

/** A bus that takes four entries of five, and refuses one in fifty for good. */
async function pickyBus(taken: Taken, refused: Set<string>): Promise<void> {
  const endpoint = await awsEndpoint();
  const random = randomOf(5);
  endpoint.reply = (request) => {
    if (request.operation !== "PutEvents") return { body: { Name: "b" } };
    const Entries = entriesOf(request).map((entry) => {
      const { id, seq } = detailOf(entry) as { id: string; seq: number };
      if (seq % 50 === 0) {
        refused.add(id);
        return { ErrorCode: "MalformedDetail", ErrorMessage: "not this one" };
      }
      if (random() < 0.2) return { ErrorCode: "ThrottlingException", ErrorMessage: "later" };
      taken.count(id);
      return { EventId: id };
    });
    return { body: { FailedEntryCount: Entries.filter((entry) => "ErrorCode" in entry).length, Entries } };
  };
}

/** Tells what is left, with a clock that lets nothing wait. */
async function tellTheRest(path: string, notifier: Notifier): Promise<void> {
  const clock = manualDeliveryClock();
  const delivery = new Delivery({ notifier, storage: jsonLines({ path }), upgradeId: "up", fromRun: 1, clock });
  delivery.start();
  let quiet = 0;
  while (quiet < 20) {
    const { state, waiting } = delivery.status;
    quiet = state === "idle" && waiting === 0 ? quiet + 1 : 0;
    if (state !== "telling") clock.pass(60_000);
    await sleep(5);
  }
  await delivery.close();
  await notifier.close();
}

async function deadIds(path: string, name: string): Promise<ReadonlySet<string>> {
  const { lines } = await jsonLines({ path }).deliveries("up").readDeadLetters(0, 1_000_000_000);
  const letters = lines.map(({ text }) => JSON.parse(text) as { id: string; notifier: string });
  return new Set(letters.filter(({ notifier }) => notifier === name).map(({ id }) => id));
}

describe("an agent that is killed while it tells", () => {
  it(
    `${CYCLES} times: every event is taken or a dead letter, and what comes twice was under way (N01)`,
    async () => {
      const path = quickFolder();
      const [byHook, byBus, refused] = [new Taken(), new Taken(), new Set<string>()];
      const { origin } = await receiver(({ method, headers }, response) => {
        if (method === "POST") byHook.count(String(headers["webhook-id"]));
        response.end();
      });
      await pickyBus(byBus, refused);
      const random = randomOf(11);
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        const child = startChild("../long/notify-kill-child.ts", [path, origin, "report"]);
        expect(await child.until("ready"), child.lines.join("\n")).toBeDefined();
        await sleep(random() * 200);
        await killNow(child);
      }
      await tellTheRest(path, hook(origin));
      await tellTheRest(path, new EventBridgeNotifier({ busName: "b" }));
      const stored = eventsOnDisk(path, "up").map(({ id }) => id);
      const dead = await deadIds(path, "eventbridge");
      console.log(
        `N01: ${CYCLES} kills, ${stored.length} events; webhook: ${byHook.repeated} repeated; bus: ${byBus.repeated} repeated, ${dead.size} dead`,
      );
      expect(stored.length).toBeGreaterThan(33 * CYCLES);
      expect(stored.filter((id) => !byHook.times.has(id))).toEqual([]);
      expect(stored.filter((id) => !byBus.times.has(id) && !dead.has(id))).toEqual([]);
      const known = new Set(stored);
      expect([...byHook.times.keys(), ...byBus.times.keys()].filter((id) => !known.has(id))).toEqual([]);
      expect([...dead].filter((id) => !refused.has(id))).toEqual([]);
      expect(byHook.repeated).toBeLessThanOrEqual(CYCLES * HOOK_BATCH);
      expect(byBus.repeated).toBeLessThanOrEqual(CYCLES * BUS_BATCH);
    },
    LIMIT_MS,
  );

  it(
    "at each system call: nothing is missing, and at most one batch comes twice (N02)",
    async ({ skip }) => {
      const trouble = straceTrouble("death at each system call of a delivery");
      if (trouble !== undefined) skip(trouble);
      const root = quickFolder();
      const found: string[] = [];
      let points = 0;
      let taken = new Taken();
      const { origin } = await receiver(({ headers }, response) => {
        taken.count(String(headers["webhook-id"]));
        // Some are refused, so that dead letters are written too.
        response.writeHead(String(headers["webhook-id"]).startsWith("0") ? 400 : 200).end();
      });
      for (const call of ["fdatasync", "rename", "openat", "write", "pwrite64", "mkdir"]) {
        for (let nth = 1, isWhole = false; !isWhole && nth < 200; nth++) {
          const path = join(root, `${call}-${nth}`);
          const stored = await logOf(path, 80);
          taken = new Taken();
          const child = startChild("../long/notify-kill-child.ts", [path, origin, "tell"]);
          expect(await child.until("ready"), child.lines.join("\n")).toBeDefined();
          await meddle(child.pid, { inject: `${call}:signal=KILL:when=${nth}` });
          child.process.stdin?.write("go\n");
          await child.ended;
          isWhole = child.lines.includes("whole");
          points += 1;
          await tellTheRest(path, hook(origin));
          const missing = stored.filter((id) => !taken.times.has(id)).length;
          if (missing > 0 || taken.repeated > HOOK_BATCH || [...taken.times.values()].some((times) => times > 2))
            found.push(`${call} ${nth}: ${missing} missing, ${taken.repeated} repeated`);
          const dead = await deadIds(path, "webhook");
          if (stored.some((id) => id.startsWith("0") && !dead.has(id)))
            found.push(`${call} ${nth}: a letter is missing`);
        }
      }
      console.log(`N02: ${points} points of death`);
      expect(found).toEqual([]);
      expect(points).toBeGreaterThan(20);
    },
    LIMIT_MS,
  );
});

/** A log of about so many events; their ids. */
async function logOf(path: string, events: number): Promise<readonly string[]> {
  const tracker = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storagePath: path });
  onTestFinished(() => tracker.close().catch(() => undefined));
  tracker.startUpgrade();
  for (const task of ["a", "b", "c"]) tracker.addTask(task, task);
  while (tracker.progress.seq < events) tracker.appendLog(["a", "b", "c"][tracker.progress.seq % 3] as string, "line");
  await tracker.close();
  const stored = eventsOnDisk(path, "up").map(({ id }) => id);
  return stored;
}
