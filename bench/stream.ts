/** What it costs to tell many readers: against bare sockets, `ws`, socket.io and SSE, each server and the load in processes of their own. */

import { ratio, row, spread, title, type Series } from "./measure.ts";
import { Child } from "./stream/child.ts";
import type { Protocol } from "./stream/load.ts";
import type { SubjectName } from "./stream/subject.ts";

const READERS = 1_000;
const ROUNDS = 5;

const PROTOCOLS: Readonly<
  Record<SubjectName, { readonly protocol: Protocol; readonly path: string; readonly greeting: number }>
> = {
  milepost: { protocol: "websocket", path: "/", greeting: 3 },
  raw: { protocol: "raw", path: "/", greeting: 0 },
  ws: { protocol: "websocket", path: "/", greeting: 1 },
  "socket.io": { protocol: "socket.io", path: "/socket.io/?EIO=4&transport=websocket", greeting: 2 },
  sse: { protocol: "sse", path: "/", greeting: 0 },
};

interface Running {
  readonly name: SubjectName;
  readonly server: Child;
  readonly port: number;
}

async function start(name: SubjectName): Promise<Running> {
  const server = new Child("./subject.ts", [name]);
  return { name, server, port: await server.begun<number>() };
}

async function connect(load: Child, { name, port }: Running, count: number): Promise<void> {
  const { greeting, ...how } = PROTOCOLS[name];
  await load.ask({ type: "connect", port, count, ...how });
  await load.ask({ type: "until", port, messages: greeting });
}

/** Microseconds of the server's processor, and of the clock, for one delivery. */
interface Cost {
  readonly cpu: number;
  readonly wall: number;
}

async function deliver(load: Child, { server, port }: Running, events: number, batch: number): Promise<Cost> {
  const cpu = await server.ask<number>({ type: "cpu" });
  const began = performance.now();
  await server.ask({ type: "publish", events, batch });
  await load.ask({ type: "until", port, messages: events });
  const wall = (performance.now() - began) * 1000;
  const deliveries = events * READERS;
  return { cpu: ((await server.ask<number>({ type: "cpu" })) - cpu) / deliveries, wall: wall / deliveries };
}

type Costs = Readonly<Record<SubjectName, { readonly cpu: number[]; readonly wall: number[] }>>;

async function compare(load: Child, subjects: readonly Running[], events: number, batch: number): Promise<Costs> {
  const costs = Object.fromEntries(subjects.map(({ name }) => [name, { cpu: [], wall: [] }])) as unknown as Costs;
  for (let round = -1; round < ROUNDS; round++) {
    for (const subject of subjects) {
      const { cpu, wall } = await deliver(load, subject, events, batch);
      if (round < 0) continue;
      costs[subject.name].cpu.push(cpu);
      costs[subject.name].wall.push(wall);
    }
  }
  return costs;
}

function rows(costs: Costs, aims: Partial<Record<SubjectName, string>>): void {
  for (const [name, { cpu, wall }] of Object.entries(costs) as [SubjectName, { cpu: Series; wall: Series }][]) {
    const perSecond = wall.map((microseconds) => 1_000 / microseconds);
    row(`${name}: processor per delivery, µs; thousand deliveries per second`, `${spread(cpu)}; ${spread(perSecond)}`);
  }
  const { milepost } = costs;
  for (const name of Object.keys(costs) as SubjectName[]) {
    if (name === "milepost") continue;
    const other = costs[name];
    row(
      `${name} / milepost, processor; by the clock`,
      `${spread(ratio(other.cpu, milepost.cpu))}; ${spread(ratio(other.wall, milepost.wall))}`,
      aims[name],
    );
  }
}

export async function fanOut(): Promise<void> {
  const load = new Child("./load.ts");
  const subjects: Running[] = [];
  for (const name of Object.keys(PROTOCOLS) as SubjectName[]) {
    const subject = await start(name);
    await connect(load, subject, READERS);
    subjects.push(subject);
  }
  title(`One event to ${READERS} readers at a time`);
  rows(await compare(load, subjects, 100, 1), { raw: "reach 0.9" });
  title(`Ten events to ${READERS} readers at a time`);
  rows(await compare(load, subjects, 200, 10), { raw: "reach 0.9", ws: "reach 6", "socket.io": "reach 10" });
  title(`${READERS} readers, 500 events a second for 5 s: age of what arrives, ms (50 %, 99 %)`);
  const paced = { type: "pace", perSecond: 500, seconds: 5 };
  for (const { name, server, port } of subjects.filter(({ name }) => name === "milepost" || name === "raw")) {
    await load.ask({ type: "latencies", port });
    const sent = await server.ask<number>(paced);
    const least = await load.ask<number>({ type: "until", port, messages: sent });
    const { p50, p99 } = await load.ask<{ p50: number; p99: number }>({ type: "latencies", port });
    row(
      `${name}: ${sent} sent, ${least} got by the one that got least`,
      `${(p50 / 1000).toFixed(1)}, ${(p99 / 1000).toFixed(1)}`,
      name === "milepost" ? "99 %: at most 25 above raw" : "",
    );
  }
  for (const { server } of subjects) server.end();
  load.end();
}

/** Memory of readers to whom nothing is told. */
export async function idleReaders(): Promise<void> {
  title("Memory of one idle reader, kB (of the process; of the heap)");
  const counts = [5_000, 10_000] as const;
  const figures: Record<string, { rss: number; heap: number }> = {};
  for (const count of counts) {
    for (const name of ["ws", "milepost"] as const) {
      const load = new Child("./load.ts");
      const subject = await start(name);
      const before = await subject.server.ask<{ rss: number; heap: number }>({ type: "memory" });
      await connect(load, subject, count);
      const after = await subject.server.ask<{ rss: number; heap: number }>({ type: "memory" });
      const each = { rss: (after.rss - before.rss) / count / 1000, heap: (after.heap - before.heap) / count / 1000 };
      figures[`${name} ${count}`] = each;
      row(`${name}, ${count} held connections`, `${each.rss.toFixed(1)}; ${each.heap.toFixed(1)}`);
      subject.server.end();
      load.end();
    }
    const [ours, bare] = [figures[`milepost ${count}`], figures[`ws ${count}`]];
    if (ours && bare)
      row(
        `milepost / ws, ${count}`,
        `${(ours.rss / bare.rss).toFixed(2)}; ${(ours.heap / bare.heap).toFixed(2)}`,
        "at most 1.3",
      );
  }
}
