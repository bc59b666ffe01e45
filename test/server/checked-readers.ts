/** Clients of a server whose every message is checked against the truth. */

import { Ledger } from "../stream/ledger.ts";
import { handshake, RawClient } from "../wire/raw-client.ts";
import type { Served } from "../wire/served.ts";

export const MIB = 1024 * 1024;

/** A client whose every message is checked against the truth. */
export class Reader {
  readonly ledger: Ledger;
  readonly client: RawClient;

  constructor({ port, kept }: Served, after?: string) {
    this.ledger = new Ledger(kept.facts, after);
    this.client = new RawClient(port);
    this.client.take = (text) => {
      this.ledger.take(text);
    };
    this.client.send(handshake({}, `GET /${after === undefined ? "" : `?after=${after}`} HTTP/1.1`));
  }

  async at(cursor: () => string): Promise<void> {
    await this.client.until(() => this.client.trouble !== undefined || this.ledger.isAt(cursor()), 15_000);
    this.client.check();
    this.ledger.check();
  }
}

/** So many, who have all there is. */
export async function readers(at: Served, count: number): Promise<Reader[]> {
  const all = Array.from({ length: count }, () => new Reader(at));
  for (const reader of all) await reader.at(() => at.kept.end);
  return all;
}

/** Publishes some megabytes, in turns; gives the most that waited for one client meanwhile. */
export async function publish(at: Served, megabytes: number): Promise<number> {
  let peak = 0;
  for (let n = 0; n < megabytes * 10; n++) {
    at.kept.report(10, 10_000);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    peak = Math.max(peak, at.queuedBytes());
  }
  return peak;
}
