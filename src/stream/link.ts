/** The port between subscribers and a connection: whatever takes encoded messages, and says when it has taken enough. */

import type { Encoding } from "./encoding.ts";

export interface Link {
  readonly encoding: Encoding;
  /** False once the connection is gone; what is written then goes nowhere. */
  readonly isOpen: boolean;
  /** False while what the other side has not yet taken fills the window; what is written then is taken all the same. */
  readonly canTake: boolean;
  /** Sends whole messages. */
  write(bytes: Uint8Array, messages: number): void;
  /** Resolves once it can take, or is gone. */
  ready(): Promise<void>;
}

/** At most so many bytes may be on their way to one connection, unacknowledged. */
export const WINDOW_BYTES = 1024 * 1024;
