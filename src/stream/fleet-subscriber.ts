/** One reader of the summaries of a fleet or a cluster: the newest of each upgrade, at the pace of its link. */

import type { UpgradeSummary } from "../view/summary.ts";
import type { Link } from "./link.ts";
import type { Channel } from "./protocol.ts";

/** Which upgrades are meant. */
export interface FleetFilter {
  readonly clusterName?: string | undefined;
}

/** What is known of all upgrades. */
export interface Summaries {
  list(filter: FleetFilter): readonly UpgradeSummary[];
  /** Calls `onChange` with the summary of an upgrade that has changed. Returns the function that stops it. */
  watch(filter: FleetFilter, onChange: (summary: UpgradeSummary) => void): () => void;
}

export class FleetSubscriber {
  readonly #link: Link;
  readonly channel: string;
  /** What the link could not take yet; the newest of each upgrade. */
  readonly #pending = new Map<string, UpgradeSummary>();
  readonly #stop: () => void;
  #isWaiting = false;

  constructor(
    link: Link,
    { channel, summaries, filter }: { channel: string; summaries: Summaries; filter: FleetFilter },
  ) {
    this.#link = link;
    this.channel = channel;
    this.#stop = summaries.watch(filter, (summary) => this.#tell(summary));
  }

  /** Sends what is known now. */
  begin(summaries: readonly UpgradeSummary[], requestId: string | undefined): void {
    const { encoding } = this.#link;
    const { channel } = this;
    this.#link.write(encoding.message({ type: "snapshot", channel, upgrades: summaries }), 1);
    const answer = requestId === undefined ? {} : { requestId };
    this.#link.write(encoding.message({ type: "subscribed", channel, recovered: false, ...answer }), 1);
  }

  stop(): void {
    this.#stop();
    this.#pending.clear();
  }

  #tell(summary: UpgradeSummary): void {
    if (!this.#isWaiting && this.#link.canTake) return this.#send(summary);
    this.#pending.set(summary.upgradeId, summary);
    if (!this.#isWaiting) void this.#sendPending();
  }

  async #sendPending(): Promise<void> {
    this.#isWaiting = true;
    while (this.#pending.size > 0 && this.#link.isOpen) {
      await this.#link.ready();
      for (const [upgradeId, summary] of this.#pending) {
        if (!this.#link.canTake) break;
        this.#pending.delete(upgradeId);
        this.#send(summary);
      }
    }
    this.#isWaiting = false;
  }

  #send(summary: UpgradeSummary): void {
    this.#link.write(this.#link.encoding.message({ type: "summary", channel: this.channel, summary }), 1);
  }
}

/** What a channel of summaries asks for. */
export function filterOf(channel: Channel): FleetFilter {
  return channel.kind === "cluster" ? { clusterName: channel.clusterName } : {};
}
