/** One reader of the summaries of a fleet or a cluster: the newest of each upgrade, at the pace of its link. */

import type { UpgradeSummary } from "../view/upgrade/summary.ts";
import type { Link } from "./link.ts";
import type { Channel, Removed, SummaryMessage } from "./protocol.ts";

/** Which upgrades are meant. */
export interface FleetFilter {
  readonly clusterName?: string | undefined;
}

/** What is known of all upgrades. */
export interface Summaries {
  list(filter: FleetFilter): readonly UpgradeSummary[];
  /**
   * Calls `onChange` with the summary of an upgrade that has changed, and `onRemove` with the id of one that is there no more.
   * Returns the function that stops it.
   */
  watch(
    filter: FleetFilter,
    onChange: (summary: UpgradeSummary) => void,
    onRemove?: (upgradeId: string) => void,
  ): () => void;
}

export class FleetSubscriber {
  readonly #link: Link;
  readonly channel: string;
  /** What the link could not take yet: the newest of each upgrade, or that it is there no more. */
  readonly #pending = new Map<string, SummaryMessage | Removed>();
  readonly #stop: () => void;
  #isWaiting = false;

  constructor(
    link: Link,
    { channel, summaries, filter }: { channel: string; summaries: Summaries; filter: FleetFilter },
  ) {
    this.#link = link;
    this.channel = channel;
    this.#stop = summaries.watch(
      filter,
      (summary) => this.#tell(summary.upgradeId, { type: "summary", channel, summary }),
      (upgradeId) => this.#tell(upgradeId, { type: "removed", channel, upgradeId }),
    );
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

  #tell(upgradeId: string, message: SummaryMessage | Removed): void {
    if (!this.#isWaiting && this.#link.canTake) return this.#send(message);
    this.#pending.set(upgradeId, message);
    if (!this.#isWaiting) void this.#sendPending();
  }

  async #sendPending(): Promise<void> {
    this.#isWaiting = true;
    while (this.#pending.size > 0 && this.#link.isOpen) {
      await this.#link.ready();
      for (const [upgradeId, message] of this.#pending) {
        if (!this.#link.canTake) break;
        this.#pending.delete(upgradeId);
        this.#send(message);
      }
    }
    this.#isWaiting = false;
  }

  #send(message: SummaryMessage | Removed): void {
    this.#link.write(this.#link.encoding.message(message), 1);
  }
}

/** What a channel of summaries asks for. */
export function filterOf(channel: Channel): FleetFilter {
  return channel.kind === "cluster" ? { clusterName: channel.clusterName } : {};
}
