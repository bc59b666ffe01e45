/** A way by which mails go out. */

import type { Outcome } from "../notifier.ts";
import type { Address } from "./address.ts";
import type { Mail } from "./mail.ts";

export interface Envelope {
  readonly from: Address;
  readonly to: readonly Address[];
}

export interface Post {
  send(mail: Mail, envelope: Envelope, signal: AbortSignal): Promise<Outcome>;
  /** @throws NOTIFIER_UNUSABLE, MISSING_PACKAGE. */
  check(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Headers that tell what a mail is: nobody's holiday answers it, readers show an upgrade's mails together. */
export function headersOf(mail: Mail, domain: string): Readonly<Record<string, string>> {
  return {
    "Auto-Submitted": "auto-generated",
    References: `<upgrade-${mail.thread}@${domain}>`,
    "X-Milepost-Message": mail.key,
  };
}
