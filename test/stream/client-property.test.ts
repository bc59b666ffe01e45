import fc from "fast-check";
import { expect, test } from "vitest";

import { canonicalJson } from "../../src/model/json.ts";
import type { ProgressEvent } from "../../src/model/event.ts";
import { watch, type Watched } from "../../src/stream/client.ts";
import { Conflation } from "../../src/stream/conflation.ts";
import { fold, testLog } from "../model/log.ts";
import { CHANNEL, ScriptedServer, type Peer } from "./client/scripted-server.ts";

const RUNS = process.env["MILEPOST_LONG"] === undefined ? 150 : 2_000;

/** A log of three terms with two tasks. */
function story(): readonly ProgressEvent[] {
  const log = testLog();
  log.give({ type: "startUpgrade" });
  for (const taskId of ["a", "b"]) log.give({ type: "addTask", taskId, taskName: taskId });
  for (let term = 0; term < 3; term++) {
    for (let n = 1; n <= 6; n++) {
      log.pass(1_000);
      log.give({ type: "updateTaskProgress", taskId: n % 2 === 0 ? "a" : "b", percentage: term * 30 + n });
      if (n % 3 === 0) log.give({ type: "appendLog", taskId: "a", text: `line ${n}` });
    }
    log.open();
  }
  log.give({ type: "completeTask", taskId: "a" });
  return log.events;
}

const EVENTS = story();
const at = (seq: number) => fold(EVENTS.slice(0, seq));

/** How an honest server treats one connection. */
interface Serving {
  /** Seq of the state that it knows when the client joins. */
  readonly head: number;
  /** So many messages are sent before the connection is cut. */
  readonly count: number;
  readonly cut: "reset" | "within" | "close";
  /** The cursor of the client is not known any more. */
  readonly isForgetful: boolean;
  /** Every so many events a stretch of so many is conflated. */
  readonly stretch: number;
}

const serving: fc.Arbitrary<Serving> = fc.record({
  head: fc.integer({ min: 1, max: EVENTS.length }),
  count: fc.integer({ min: 0, max: 14 }),
  cut: fc.constantFrom("reset", "within", "close"),
  isForgetful: fc.nat({ max: 3 }).map((value) => value === 0),
  stretch: fc.integer({ min: 0, max: 6 }),
});

/** What such a server says, whole. */
function* conversation(after: string | null, { head, isForgetful, stretch }: Serving): Generator<object> {
  yield { type: "welcome", protocol: 1, server: "milepost/test", pingIntervalMs: 25_000, channels: [CHANNEL] };
  const known = EVENTS.find(({ cursor }) => cursor === after);
  const isKnown = known !== undefined && !isForgetful;
  const place = isKnown ? known.seq : head;
  const { cursor, ...rest } = JSON.parse(JSON.stringify(at(place)));
  if (!isKnown) {
    const opening = { type: "snapshot", channel: CHANNEL, cursor, recovered: false };
    const { tasks, ...upgrade } = rest;
    yield { ...opening, part: 1, parts: 2, upgrade: { cursor, ...upgrade, tasks: tasks.slice(0, 1) } };
    yield { ...opening, part: 2, parts: 2, tasks: tasks.slice(1) };
  }
  yield { type: "subscribed", channel: CHANNEL, cursor, recovered: isKnown };
  for (let seq = place + 1; seq <= EVENTS.length;) {
    const to = Math.min(EVENTS.length, seq + stretch - 1);
    if (stretch < 2 || to === seq) yield EVENTS[seq++ - 1] as object;
    else {
      yield { type: "skipped", channel: CHANNEL, from: at(seq - 1).cursor, to: at(to).cursor, reason: "slow" };
      yield* standFor(EVENTS.slice(seq - 1, to));
      seq = to + 1;
    }
  }
}

function standFor(events: readonly ProgressEvent[]): readonly ProgressEvent[] {
  const conflation = new Conflation();
  for (const event of events) conflation.note(event);
  return events.filter((event) => event === events.at(-1) || conflation.keeps(event));
}

async function serve(peer: Peer, plan: Serving | undefined): Promise<void> {
  const messages = [
    ...conversation(peer.after, plan ?? { head: 1, count: 0, cut: "close", isForgetful: false, stretch: 0 }),
  ];
  if (plan === undefined) return void peer.say(...messages);
  peer.say(...messages.slice(0, plan.count));
  const within = messages[plan.count];
  if (plan.cut === "within" && within !== undefined) await peer.cutWithin(within);
  else if (plan.cut === "close") peer.close(1001);
  else peer.destroy();
}

/** Each item follows from the one before it, and its state is what the log folds to there. */
function check(items: readonly Watched[]): void {
  let seq: number | undefined;
  for (const { state, event, conflated, reset, cursor } of items) {
    if (state === undefined) {
      expect([event, cursor]).toEqual([undefined, undefined]);
      continue;
    }
    expect(cursor).toBe(state.cursor);
    expect(canonicalJson(state)).toBe(canonicalJson(at(state.seq)));
    if (event !== undefined) {
      expect(event).toEqual(EVENTS[event.seq - 1]);
      const stretch = conflated === undefined ? [event] : standFor(EVENTS.slice(seq, event.seq));
      expect(conflated ?? [event]).toEqual(stretch);
      if (conflated === undefined) expect(event.seq).toBe((seq ?? 0) + 1);
    } else if (reset !== true && seq !== undefined) expect(state.seq).toBe(seq);
    seq = state.seq;
  }
}

test(
  "[W9] whatever an honest server's connections suffer, each event is shown once, in order, with exactly its state",
  { timeout: 600_000 },
  async () => {
    const server = await ScriptedServer.start();
    let plans: Serving[] = [];
    const serveAll = async (): Promise<never> => {
      for (;;) await serve(await server.peer(), plans.shift());
    };
    void serveAll();
    let connections = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(serving, { maxLength: 6 }), async (given) => {
        plans = [...given];
        const shown: Watched[] = [];
        for await (const item of watch(server.url, { channel: CHANNEL, random: () => 0 })) {
          shown.push(item);
          if (item.connection.status === "connecting") connections += 1;
          if (item.state?.seq === EVENTS.length) break;
        }
        check(shown);
      }),
      { numRuns: RUNS },
    );
    expect(connections).toBeGreaterThan(RUNS);
  },
);
