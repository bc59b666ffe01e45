/** The notifier port: something outside that is told about events. Remote, slow, and wrong at times; `delivery.ts` copes with that. */

import type { ProgressEvent } from "../model/event.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";

/** That something still is as it was: which time this is told, and since when it is so (ISO 8601). */
export interface Repeat {
  readonly count: number;
  readonly since: string;
}

/** An event of the log; one that is told again, because nothing has changed since, has an id and a time of its own. */
export type ToldEvent = ProgressEvent & { readonly repeat?: Repeat };

/** Events of one upgrade, in order, that are told together. */
export interface Batch {
  readonly events: readonly ToldEvent[];
  /** The newest state that is known: not older than the last of the events. */
  readonly state: UpgradeProgress;
}

/** What became of one event. `answer` and `message` are the other side's words, without secrets. */
export type Outcome =
  | { readonly status: "delivered"; readonly answer?: string }
  /** Worth another try: throttling, an outage. */
  | { readonly status: "retry"; readonly code: string; readonly message: string; readonly retryAfterMs?: number }
  /** No try will help: it goes to the dead letters. `endsAll`: the other side wants nothing more, so nothing more is sent. */
  | { readonly status: "refused"; readonly code: string; readonly message: string; readonly endsAll?: boolean };

/** A small text that a notifier keeps for one run of an upgrade, over restarts: such as which message it edits. */
export interface NotifierMemory {
  /** What was kept last; undefined when nothing was. */
  readonly text: string | undefined;
  /** Durable when it resolves. @throws STORAGE_DEGRADED. */
  keep(text: string): Promise<void>;
}

export interface NotifyOptions {
  /** Ends it: the time is up, or the process ends. What was sent by then may be sent again. */
  readonly signal: AbortSignal;
  readonly memory?: NotifierMemory | undefined;
}

export interface Notifier {
  /** Its own among all notifiers, in file names too: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** `eventbridge`, `slack`, `email`, `sms`, `webhook`. */
  readonly kind: string;
  /** At most so many events at a time, and so many bytes of JSON in all; one event may be larger. */
  readonly limits: { readonly maxEvents: number; readonly maxBytes: number };
  /** Tells of events: one outcome for each, in their order. A rejection counts as `retry` for all of them. */
  notify(batch: Batch, options: NotifyOptions): Promise<readonly Outcome[]>;
  /** Looks whether it could tell: address, credentials, the other side's rules. @throws NOTIFIER_UNUSABLE, MISSING_PACKAGE. */
  check(options: { readonly signal: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}
