/** What notifiers cost: a tracker's call beside one in trouble, another notifier's delay, and how fast a backlog is told. */

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";

import { ProgressTracker, type ProgressTrackerOptions } from "milepost";
import { email, EventBridgeNotifier, slack, sms, webhook, type Notifier } from "milepost/notifiers";

import { Delivery } from "../src/notify/delivery.ts";
import { jsonLines } from "../src/storage/json-lines.ts";
import { inTurns, ratio, row, spread, title, type Timed } from "./measure.ts";
import type { Ports } from "./notify/receiver.ts";
import { temporaryFolder, update } from "./subjects.ts";

const ROUNDS = 21;
const COMMANDS = 2_000;
/** Commands between two turns of the event loop, in which deliveries do their work. */
const BURST = 20;
const TASKS = 10;
const ALL = [{ events: ["*"] }];

export async function notifying(): Promise<void> {
  const child = fork(new URL("notify/receiver.ts", import.meta.url), {
    execArgv: ["--conditions=milepost-source"],
  });
  const [ports] = (await once(child, "message")) as [Ports];
  try {
    await callsBesideTrouble(ports);
    await delayBesideTrouble(ports);
    await backlogs(ports);
  } finally {
    await ended(child);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  child.disconnect();
  await once(child, "exit");
}

const SECRETS = [`whsec_${Buffer.alloc(32, 7).toString("base64")}`];

const hook = ({ http }: Ports, path: string): Notifier =>
  webhook({
    name: path,
    url: `http://127.0.0.1:${http}/${path}`,
    secrets: SECRETS,
    allowedAddresses: ["127.0.0.1"],
    timeoutMs: 5_000,
  });

function trackerTelling(
  notifiers: readonly Notifier[],
  options: Partial<ProgressTrackerOptions> = {},
): ProgressTracker {
  const ids = { upgradeId: "bench", planId: "plan", clusterName: "cluster", storagePath: temporaryFolder() };
  const quiet = { syncIntervalMs: 3_600_000, drainTimeoutMs: 0 };
  const tracker = new ProgressTracker({ ...ids, ...quiet, notifiers, rules: ALL, ...options });
  tracker.startUpgrade("Bench");
  for (let index = 0; index < TASKS; index++) {
    tracker.addTask(`task-${index}`, `Drain node ${index}`);
    tracker.startTask(`task-${index}`);
  }
  return tracker;
}

/** Times the calls alone: what deliveries do between them is their own. The median burst, since a busy neighbour stops some of them. */
function calls(tracker: ProgressTracker): Timed {
  return async (count) => {
    const bursts: number[] = [];
    for (let index = 0; index < count; index += BURST) {
      const start = process.hrtime.bigint();
      for (let each = 0; each < BURST; each++) update(tracker, TASKS, index + each);
      bursts.push(Number(process.hrtime.bigint() - start));
      await nextTurn();
    }
    const middle = bursts.sort((a, b) => a - b)[bursts.length >> 1] as number;
    return middle * bursts.length;
  };
}

async function callsBesideTrouble(ports: Ports): Promise<void> {
  title("A tracker's call beside a notifier in trouble, against none (every event is to be told)");
  const trackers = {
    none: trackerTelling([]),
    again: trackerTelling([]),
    hangs: trackerTelling([hook(ports, "hang")]),
    slow: trackerTelling([hook(ports, "slow")]),
    refuses: trackerTelling([hook(ports, "refuse")]),
  };
  const subjects = Object.fromEntries(
    Object.entries(trackers).map(([name, tracker]) => [name, calls(tracker)]),
  ) as Record<keyof typeof trackers, Timed>;
  const series = await inTurns(subjects, { rounds: ROUNDS, count: COMMANDS });
  row("without notifiers, µs", spread(series.none, 1000));
  row("the same again / without: what the measuring itself is worth", spread(ratio(series.again, series.none)));
  for (const name of ["hangs", "slow", "refuses"] as const)
    row(
      `one that ${name === "slow" ? "is slow" : name} / without`,
      spread(ratio(series[name], series.none)),
      "at most 1.05",
    );
  await Promise.all(Object.values(trackers).map((tracker) => tracker.close()));
}

/** Milliseconds from the command until a notifier in this process is told. */
async function delays(beside: readonly Notifier[]): Promise<readonly number[]> {
  const sentMs = new Map<number, number>();
  const found: number[] = [];
  const well: Notifier = {
    name: "well",
    kind: "bench",
    limits: { maxEvents: 10, maxBytes: 100_000 },
    notify: async ({ events }) => {
      for (const { seq } of events) {
        const atMs = sentMs.get(seq);
        if (atMs !== undefined) found.push(performance.now() - atMs);
      }
      return events.map(() => ({ status: "delivered" }));
    },
    check: async () => undefined,
    close: async () => undefined,
  };
  const tracker = trackerTelling([well, ...beside]);
  await pause(200);
  for (let n = 0; n < 300; n++) {
    sentMs.set(tracker.progress.seq + 1, performance.now());
    update(tracker, TASKS, n);
    await pause(5);
  }
  await pause(100);
  await tracker.close();
  return found.sort((a, b) => a - b);
}

async function delayBesideTrouble(ports: Ports): Promise<void> {
  title("What a well notifier waits for an event, 200 a second");
  for (const [name, beside] of [
    ["alone", []],
    ["beside one that hangs", [hook(ports, "hang")]],
    ["beside one that refuses", [hook(ports, "refuse")]],
  ] as const) {
    const sorted = await delays(beside);
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1);
    row(`${name}, ms: half, 95 of 100 within`, `${at(0.5)}, ${at(0.95)}`, `${sorted.length} of 300 told`);
  }
}

interface Kind {
  readonly what: string;
  readonly make: (ports: Ports) => Notifier;
  readonly events: number;
  readonly tasks: number;
  readonly aim?: string;
}

const REGION = { awsRegion: "us-west-2" } as const;
const KINDS: readonly Kind[] = [
  { what: "webhook, 20 tasks", make: (ports) => hook(ports, "well"), events: 5_000, tasks: 20, aim: "at least 1,000" },
  { what: "webhook, one task", make: (ports) => hook(ports, "well"), events: 5_000, tasks: 1, aim: "at least 1,000" },
  {
    what: "EventBridge",
    make: () => new EventBridgeNotifier({ busName: "b", ...REGION }),
    events: 5_000,
    tasks: 20,
    aim: "at least 1,000",
  },
  {
    what: "Slack, incoming webhook (one message a second)",
    make: ({ http }) => slack({ webhookUrl: `http://127.0.0.1:${http}/well`, allowedAddresses: ["127.0.0.1"] }),
    events: 5_000,
    tasks: 20,
  },
  {
    what: "email, SMTP (50 events in a mail)",
    make: ({ smtp }) =>
      email({ from: "a@example.com", to: "b@example.com", smtp: `smtp://127.0.0.1:${smtp}?ignoreTLS=true` }),
    events: 5_000,
    tasks: 20,
  },
  {
    what: "SMS (as many as a cap allows; here no cap)",
    make: () => sms({ to: "+491701234567", maxPerHour: 100_000, maxPerDay: 100_000, ...REGION }),
    events: 1_000,
    tasks: 20,
  },
];

async function backlogs(ports: Ports): Promise<void> {
  title("A backlog told, events per second");
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${ports.http}`,
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "example",
  });
  for (const { what, make, events, tasks, aim } of KINDS) {
    const perSecond: number[] = [];
    const { path, length } = await backlog(events, tasks);
    for (let round = 0; round < 3; round++) perSecond.push(await told(make(ports), { path, length, round }));
    row(what, spread(perSecond), aim);
  }
}

async function backlog(events: number, tasks: number): Promise<{ readonly path: string; readonly length: number }> {
  const path = temporaryFolder();
  const tracker = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storagePath: path });
  tracker.startUpgrade("Bench");
  for (let n = 0; n < tasks; n++) tracker.addTask(`t${n}`, `Drain node ${n}`);
  for (let n = tracker.progress.seq; n < events; n++) tracker.appendLog(`t${n % tasks}`, `pod ${n} evicted`);
  const length = tracker.progress.seq;
  await tracker.close();
  return { path, length };
}

async function told(
  notifier: Notifier,
  { path, length, round }: { readonly path: string; readonly length: number; readonly round: number },
): Promise<number> {
  // A name of its own each round: it was never told before.
  const fresh: Notifier = {
    name: `n${round}`,
    kind: notifier.kind,
    limits: notifier.limits,
    notify: (batch, options) => notifier.notify(batch, options),
    check: (options) => notifier.check(options),
    close: () => notifier.close(),
  };
  const delivery = new Delivery({ notifier: fresh, storage: jsonLines({ path }), upgradeId: "up", fromRun: 1 });
  const start = performance.now();
  delivery.start();
  if (!(await delivery.drain(60_000))) throw new Error(`${notifier.kind} was not told all within a minute`);
  const seconds = (performance.now() - start) / 1000;
  await delivery.close();
  await notifier.close();
  return length / seconds;
}
