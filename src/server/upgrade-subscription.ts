/** A client's subscription to one upgrade: opens its log, if the client may see it, and gives it back at the end. */

import type { Link } from "../stream/link.ts";
import type { LiveLog } from "../stream/live-log.ts";
import type { Subscribe } from "../stream/protocol.ts";
import { Subscriber, type SubscriberContext, type SubscriberOwner } from "../stream/subscriber.ts";

/** Whoever has the subscription. */
export interface SubscriptionOwner {
  /** @throws UNKNOWN_UPGRADE for one that there is not, or that the client may not see. */
  openLog(upgradeId: string): Promise<LiveLog>;
  /** It cannot go on. `requestId` is that of the request that it could not answer. */
  subscriptionFailed(subscription: UpgradeSubscription, error: unknown, requestId?: string): void;
}

export class UpgradeSubscription implements SubscriberOwner {
  readonly channel: string;
  readonly #owner: SubscriptionOwner;
  #log: LiveLog | undefined;
  #subscriber: Subscriber | undefined;
  #isStopped = false;

  constructor(channel: string, owner: SubscriptionOwner) {
    this.channel = channel;
    this.#owner = owner;
  }

  /** Sends from now on. Never rejects. */
  async begin(
    upgradeId: string,
    { after, level, requestId }: Subscribe,
    { link, context }: { readonly link: Link; readonly context: SubscriberContext },
  ): Promise<void> {
    try {
      this.#log = await this.#owner.openLog(upgradeId);
    } catch (error) {
      if (!this.#isStopped) this.#owner.subscriptionFailed(this, error, requestId);
      return;
    }
    this.#subscriber = new Subscriber({ log: this.#log, link, context, level, requestId });
    if (this.#isStopped) this.#subscriber.stop();
    this.#subscriber.start(after, this);
  }

  /** Of the upgrade that it shows, once it is known. */
  get clusterName(): string | undefined {
    return this.#log?.state.clusterName;
  }

  stop(): void {
    this.#isStopped = true;
    this.#subscriber?.stop();
  }

  ended(error?: unknown): void {
    this.#log?.release();
    if (error !== undefined && !this.#isStopped) this.#owner.subscriptionFailed(this, error);
  }
}
