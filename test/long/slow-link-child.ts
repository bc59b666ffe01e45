/**
 * A network of its own (`unshare --net`) in which the way to 127.0.0.2 carries 1 kB a second: `slow-link-child.ts <folder> <seconds>`.
 * An upgrade with 1,000 updates a second, a server, readers by the fast way, and one by the slow. Says what became of them.
 */

import { execFileSync } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";

import { ProgressTracker } from "milepost";
import WebSocket from "ws";

import { canonicalJson } from "../../src/model/json.ts";
import { watch, type ConnectOptions } from "../../src/stream/client.ts";
import { measuredServer } from "./measured-server.ts";

/** What this says at its end. */
export interface SlowLinkResult {
  readonly updates: number;
  readonly memoryBytes: { readonly atFirst: number; readonly atLast: number };
  readonly slow: ViewResult;
  /** How far the slow one was while its way was slow. */
  readonly slowSeq: number;
  readonly others: readonly ViewResult[];
}

/** What a reader was shown. */
interface ViewResult {
  readonly events: number;
  /** Stretches that were told in short. */
  readonly stretches: number;
  /** Times that the history did not go on. */
  readonly resets: number;
  readonly gaps: number;
  readonly connections: number;
  readonly isExact: boolean;
  /** Age of an event when it was shown, ms: of 99 in 100 at most so much. */
  readonly p99Ms: number;
}

const tc = (...args: readonly string[]): Buffer => execFileSync("tc", args);
execFileSync("ip", ["link", "set", "lo", "mtu", "1500", "up"]);
tc(..."qdisc add dev lo root handle 1: htb default 0".split(" "));
tc(..."class add dev lo parent 1: classid 1:1 htb rate 8kbit ceil 8kbit burst 3k cburst 3k quantum 1500".split(" "));
tc(..."filter add dev lo parent 1: protocol ip u32 match ip dst 127.0.0.2/32 flowid 1:1".split(" "));

/** Comes from the address that the slow way leads to. */
class SlowSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { localAddress: "127.0.0.2" });
  }
}

const [path = "", seconds = "60"] = process.argv.slice(2);
const tracker = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storagePath: path });
tracker.startUpgrade();
for (let n = 0; n < 20; n++) tracker.addTask(`task-${n}`, `Replace node ${n}`);
await tracker.flush();
const server = await measuredServer(path);

class View {
  seq = 0;
  state = "";
  readonly counts = { events: 0, stretches: 0, resets: 0, gaps: 0, connections: 0 };
  readonly #ages: number[] = [];

  constructor(options: ConnectOptions) {
    void this.#watch(options);
  }

  async #watch(options: ConnectOptions): Promise<void> {
    let attempt: string | undefined;
    for await (const shown of watch(`ws://127.0.0.1:${server.port}`, { channel: "upgrade:up", ...options })) {
      const { state, event, conflated, reset, connection } = shown;
      if (connection.status !== attempt && connection.status === "connecting") this.counts.connections += 1;
      attempt = connection.status;
      if (reset === true) this.counts.resets += 1;
      if (event !== undefined) {
        this.counts.events += 1;
        if (conflated !== undefined) this.counts.stretches += 1;
        else if (event.seq !== this.seq + 1) this.counts.gaps += 1;
        this.#ages.push(Date.now() - Date.parse(event.time));
      }
      if (state === undefined) continue;
      this.seq = state.seq;
      if (state.status === "paused") this.state = canonicalJson(state);
    }
  }

  result(end: string): ViewResult {
    const sorted = this.#ages.sort((a, b) => a - b);
    return { ...this.counts, isExact: this.state === end, p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0 };
  }
}

const others = Array.from({ length: 3 }, () => new View({}));
const slow = new View({ WebSocket: SlowSocket });
await wait(3_000);
const { rssBytes: atFirst } = await server.fare();
let updates = 0;
for (const begun = performance.now(); updates < Number(seconds) * 1_000; await wait(5)) {
  const due = Math.min(Number(seconds) * 1_000, performance.now() - begun);
  for (; updates < due; updates++)
    tracker.updateTaskProgress(`task-${updates % 20}`, (updates % 990) / 10, `step ${updates}`);
}
const { rssBytes: atLast } = await server.fare();
const slowSeq = slow.seq;
tc(..."qdisc del dev lo root".split(" "));
tracker.pauseUpgrade("that was all");
const end = canonicalJson(tracker.progress);
for (const late = performance.now() + 180_000; performance.now() < late; await wait(50))
  if ([slow, ...others].every(({ state }) => state !== "")) break;
const result: SlowLinkResult = {
  updates,
  memoryBytes: { atFirst, atLast },
  slow: slow.result(end),
  slowSeq,
  others: others.map((view) => view.result(end)),
};
process.stdout.write(`result ${JSON.stringify(result)}\n`);
server.kill();
process.exit();
