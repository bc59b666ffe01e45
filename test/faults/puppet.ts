/**
 * A process that does what it is told on standard input, a JSON line each, and answers each with a JSON line: it opens
 * upgrades (several at once), reports, sends commands, blocks its event loop, closes.
 */

import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { isMilepostError } from "../../src/errors.ts";
import { ProgressTracker } from "../../src/progress-tracker.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { sendCommands } from "../../src/tracker/hand-over.ts";

const [path = ""] = process.argv.slice(2);

/** What a puppet can be told. */
export type Order =
  | { readonly do: "open"; readonly id: string; readonly takeOver?: boolean }
  | { readonly do: "execute"; readonly id: string; readonly commands: readonly object[] }
  /** Reports progress until it is refused, and a few times more; `ack` lines say what was answered. */
  | { readonly do: "work"; readonly id: string; readonly extra: number }
  | { readonly do: "send"; readonly id: string; readonly commands: readonly object[]; readonly timeoutMs?: number }
  | { readonly do: "ready" }
  | { readonly do: "block"; readonly ms: number }
  | { readonly do: "flush" | "snapshot"; readonly id: string }
  | { readonly do: "close"; readonly id: string };

/** What it answers; `code` and `message` when it was refused. */
export interface Answer {
  readonly code: string;
  readonly message?: string;
  readonly events?: readonly { readonly seq: number; readonly id: string; readonly type: string }[];
}

const trackers = new Map<string, ProgressTracker>();
const say = (line: object | string): void =>
  void writeSync(1, `${typeof line === "string" ? line : JSON.stringify(line)}\n`);
const held = (id: string): ProgressTracker => trackers.get(id) as ProgressTracker;

async function obey(order: Order): Promise<Answer> {
  switch (order.do) {
    case "open":
      trackers.set(
        order.id,
        new ProgressTracker({
          upgradeId: order.id,
          planId: "plan-456",
          clusterName: "my-cluster",
          storagePath: path,
          takeOver: order.takeOver ?? false,
          program: "puppet",
        }),
      );
      return { code: "ok" };
    case "execute":
      return { code: "ok", events: order.commands.map((command) => held(order.id).execute(command)) };
    case "work":
      return work(order);
    case "send":
      return {
        code: "ok",
        events: await sendCommands(jsonLines({ path }), order.id, order.commands, {
          timeoutMs: order.timeoutMs ?? 10_000,
          program: "puppet",
        }),
      };
    case "ready":
      return { code: "ok" };
    case "block":
      say("blocking");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.ms);
      return { code: "ok" };
    case "flush":
      await held(order.id).flush();
      return { code: "ok" };
    case "snapshot":
      await held(order.id).storage.saveProgress(held(order.id).progress);
      return { code: "ok" };
    case "close":
      await held(order.id).close();
      trackers.delete(order.id);
      return { code: "ok" };
  }
}

async function work({ id, extra }: Extract<Order, { do: "work" }>): Promise<Answer> {
  const tracker = held(id);
  for (let count = 0, refused = 0; refused <= extra; count++) {
    try {
      const { seq, id: eventId } = tracker.updateTaskProgress("task-1", count % 100);
      say(`ack ${seq} ${eventId}`);
    } catch (error) {
      refused += 1;
      say(`refused ${isMilepostError(error) ? error.code : String(error)}`);
    }
    if (count % 8 === 0) await sleep(1);
  }
  return { code: "ok" };
}

for await (const line of createInterface(process.stdin)) {
  try {
    say(await obey(JSON.parse(line) as Order));
  } catch (error) {
    say({ code: isMilepostError(error) ? error.code : "unknown", message: String(error) });
  }
}
process.exit(0);
