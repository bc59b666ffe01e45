/** The whole of it under chaos: a writer process, a server process that is killed again and again, a proxy that cuts, clients that check. */

import { join } from "node:path";

import WebSocket from "ws";

import { firstCursor } from "../../src/model/cursor.ts";
import { canonicalJson } from "../../src/model/json.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import type { LogReader } from "../../src/storage/storage.ts";
import { watch, type Watched } from "../../src/stream/client.ts";
import { startChild, type Child } from "../faults/child.ts";
import { Facts, type Fact } from "../stream/kept-log.ts";
import { Ledger } from "../stream/ledger.ts";
import { CuttingProxy, randomNumbers, type Cut } from "./cutting-proxy.ts";

export interface ChaosOptions {
  readonly folder: string;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly clients: number;
  readonly killEveryMs: number;
  readonly seed: number;
}

export interface ChaosResult {
  readonly events: number;
  readonly connections: number;
  readonly kills: number;
  readonly cuts: Readonly<Record<Cut, number>>;
  /** Summed over the clients. */
  readonly told: number;
  readonly skipped: number;
  readonly recoveries: number;
  readonly snapshots: number;
}

/** The truth as the journal has it, read on whenever somebody speaks of an event that is not known yet. */
class JournalFacts {
  readonly #facts = new Facts();
  readonly #reader: LogReader;
  #end: string;

  constructor(path: string) {
    this.#reader = jsonLines({ path }).openReader("up") as LogReader;
    this.#end = firstCursor(this.#reader.header.logId);
  }

  get count(): number {
    return this.#facts.count;
  }

  readonly get = (cursor: string): Fact | undefined => {
    const known = this.#facts.get(cursor);
    if (known !== undefined) return known;
    this.#end = this.#facts.learn(this.#reader, this.#end);
    return this.#facts.get(cursor);
  };

  close(): void {
    this.#reader.close();
  }
}

const waited = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @throws what a client found wrong. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { folder, seconds, eventsPerSecond, clients, killEveryMs, seed } = options;
  const random = randomNumbers(seed);
  const writer = startWire("chaos-writer.ts", [folder, eventsPerSecond, seconds]);
  let server: Child | undefined;
  let port = 0;
  const proxy = new CuttingProxy({ port: () => port, random });
  const all: (BareClient | LibraryClient)[] = [];
  let facts: JournalFacts | undefined;
  try {
    await writer.until("begun");
    const truth = (facts = new JournalFacts(folder));
    const start = async (): Promise<void> => {
      const child = (server = startWire("chaos-server.ts", [folder]));
      port = Number((await child.until("port"))?.split(" ")[1]);
    };
    await start();
    const url = `ws://127.0.0.1:${await proxy.listen()}`;
    for (let n = 0; n < clients; n++)
      all.push(n % 2 === 0 ? new BareClient(url, truth, random) : new LibraryClient(url, truth, random));
    let isWriting = true;
    const ended = writer.until("end ").then((line) => {
      isWriting = false;
      return line?.slice(4);
    });
    let kills = 0;
    while (isWriting) {
      await Promise.race([ended, waited(killEveryMs)]);
      if (!isWriting) break;
      const died = server?.lines.find((line) => line.startsWith("died") || line.startsWith("!"));
      if (died !== undefined) throw new Error(died);
      server?.process.kill("SIGKILL");
      await server?.ended;
      kills += 1;
      await start();
    }
    const end = await ended;
    if (end === undefined) throw new Error(`the writer ended early: ${writer.lines.join(" | ")}`);
    await Promise.all(all.map((client) => client.reach(end)));
    const sum = (of: (client: BareClient | LibraryClient) => number): number =>
      all.reduce((total, client) => total + of(client), 0);
    return {
      events: truth.count,
      connections: proxy.connections,
      kills,
      cuts: proxy.counts,
      told: sum(({ counts }) => counts.events),
      skipped: sum(({ counts }) => counts.skipped),
      recoveries: sum(({ counts }) => counts.recoveries),
      snapshots: sum(({ counts }) => counts.snapshots),
    };
  } finally {
    for (const client of all) client.stop();
    await proxy.close();
    server?.process.kill("SIGKILL");
    writer.process.stdin?.end();
    await Promise.all([server?.ended, writer.ended]);
    facts?.close();
  }
}

const startWire = (file: string, args: readonly (string | number)[]): Child =>
  startChild(join("..", "wire", file), args);

/** Waits until `holds`, for up to a minute; throws what was found wrong. */
async function settled(name: string, holds: () => boolean, trouble: () => unknown): Promise<void> {
  for (const late = performance.now() + 60_000; !holds(); await waited(20)) {
    if (trouble() !== undefined) throw trouble();
    if (performance.now() > late) throw new Error(`${name} never came to the end`);
  }
  if (trouble() !== undefined) throw trouble();
}

/** A client of bare messages that believes nothing. */
class BareClient {
  readonly #url: string;
  readonly #random: () => number;
  readonly #ledger: Ledger;
  #socket: WebSocket | undefined;
  #trouble: unknown;
  #isStopped = false;

  constructor(url: string, facts: JournalFacts, random: () => number) {
    this.#url = url;
    this.#random = random;
    this.#ledger = new Ledger(facts);
    this.#connect();
  }

  get counts(): Ledger["counts"] {
    return this.#ledger.counts;
  }

  reach(end: string): Promise<void> {
    return settled(
      "a bare client",
      () => this.#ledger.isAt(end),
      () => this.#trouble,
    );
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket?.terminate();
  }

  #connect(): void {
    if (this.#isStopped) return;
    const after = this.#ledger.again();
    const socket = new WebSocket(`${this.#url}/?channel=upgrade:up${after === undefined ? "" : `&after=${after}`}`);
    this.#socket = socket;
    const alarm = setTimeout(() => socket.terminate(), 2_000);
    const heard = (): unknown => alarm.refresh();
    socket.on("ping", heard);
    socket.on("message", (data: Buffer) => {
      heard();
      // What a connection that was given up still says is not listened to.
      if (this.#socket === socket && this.#trouble === undefined) this.#take(data.toString("utf8"));
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(alarm);
      setTimeout(() => this.#connect(), this.#random() * 100);
    });
  }

  #take(text: string): void {
    try {
      this.#ledger.take(text);
    } catch (error) {
      this.#trouble = error;
    }
  }
}

/** A client of the library. */
class LibraryClient {
  readonly counts = { events: 0, snapshots: 0, recoveries: 0, skipped: 0 };
  readonly #facts: JournalFacts;
  readonly #items: AsyncIterator<Watched, undefined>;
  #cursor: string | undefined;
  #trouble: unknown;

  constructor(url: string, facts: JournalFacts, random: () => number) {
    this.#facts = facts;
    const backoff = { minMs: 50, maxMs: 200 };
    this.#items = watch(url, { channel: "upgrade:up", backoff, random });
    this.#follow().catch((error: unknown) => (this.#trouble = error));
  }

  reach(end: string): Promise<void> {
    return settled(
      "a client of the library",
      () => this.#cursor === end,
      () => this.#trouble,
    );
  }

  stop(): void {
    void this.#items.return?.();
  }

  async #follow(): Promise<void> {
    for (let item = await this.#items.next(); item.done !== true; item = await this.#items.next())
      this.#see(item.value);
  }

  #see({ state, event, conflated, reset, cursor }: Watched): void {
    if (cursor === undefined || cursor === this.#cursor) return;
    const fact = this.#facts.get(cursor);
    if (conflated !== undefined) this.counts.skipped += 1;
    if (reset === true) throw new Error(`the history was said to be another one at ${cursor}`);
    if (event === undefined) this.counts.snapshots += 1;
    else {
      this.counts.events += 1;
      if (event.cursor !== cursor || (conflated === undefined && fact?.before !== this.#cursor))
        throw new Error(`after ${this.#cursor} came ${cursor}, which follows ${fact?.before}`);
    }
    // Every state in full would take all the time there is.
    if (this.counts.events % 20 === 0 || event === undefined || conflated !== undefined) {
      if (canonicalJson(state) !== canonicalJson(fact?.state)) throw new Error(`a state at ${cursor} that never was`);
    }
    this.#cursor = cursor;
  }
}
