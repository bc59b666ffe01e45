/** The notifier port: something outside that is told about events. Remote, slow, and wrong at times; `delivery.ts` copes with that. */

import type { ProgressEvent } from "../model/event.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";

/** Events of one upgrade, in order, that are told together. */
export interface Batch {
  readonly events: readonly ProgressEvent[];
  /** The newest state that is known: not older than the last of the events. */
  readonly state: UpgradeProgress;
}

/** What became of one event. `answer` and `message` are the other side's words, without secrets. */
export type Outcome =
  | { readonly status: "delivered"; readonly answer?: string }
  /** Worth another try: throttling, an outage. */
  | { readonly status: "retry"; readonly code: string; readonly message: string; readonly retryAfterMs?: number }
  /** No try will help: it goes to the dead letters. */
  | { readonly status: "refused"; readonly code: string; readonly message: string };

export interface Notifier {
  /** Its own among all notifiers, in file names too: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** `eventbridge`, `slack`, `email`, `sms`, `webhook`. */
  readonly kind: string;
  /** At most so many events at a time, and so many bytes of JSON in all; one event may be larger. */
  readonly limits: { readonly maxEvents: number; readonly maxBytes: number };
  /**
   * Tells of events: one outcome for each, in their order. A rejection counts as `retry` for all of them.
   *
   * @param signal - ends it: the time is up, or the process ends. What was sent by then may be sent again.
   */
  notify(batch: Batch, options: { readonly signal: AbortSignal }): Promise<readonly Outcome[]>;
  /** Looks whether it could tell: address, credentials, the other side's rules. @throws NOTIFIER_UNUSABLE, MISSING_PACKAGE. */
  check(options: { readonly signal: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}
