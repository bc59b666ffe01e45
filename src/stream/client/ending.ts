/** Why a connection has ended, and whether to come back. */

import { ERRORS, MilepostError, type ErrorCode } from "../../errors.ts";
import { closeCode, mayReconnect, type ErrorMessage } from "../protocol.ts";

export interface Ending {
  readonly error: MilepostError;
  /** True: connecting again would end the same way. */
  readonly isFinal: boolean;
}

const CODES = Object.keys(ERRORS) as readonly ErrorCode[];

/** The connection was closed. `said` is the last error that the server told; it may say more than the close does. */
export function endingOfClose(
  { code, reason }: { readonly code: number; readonly reason: string },
  said: ErrorMessage | undefined,
): Ending {
  const isFinal = !mayReconnect(code);
  // Our servers give the name of the code as the reason.
  const known = CODES.find((name) => name === reason) ?? CODES.find((name) => closeCode(name) === code);
  if (known !== undefined) {
    const bare = `the server closed the connection: ${known.toLowerCase().replaceAll("_", " ")}`;
    return { error: new MilepostError(known, said?.code === known ? said.message : bare), isFinal };
  }
  const what = `the connection was closed (${code}${reason === "" ? "" : `: ${reason}`})`;
  return { error: new MilepostError(isFinal ? "CLOSED" : "STREAM_BROKEN", what), isFinal };
}

/** The server has refused or ended the subscription. */
export function endingOfRefusal({ code, message }: ErrorMessage): Ending {
  // A newer server may have codes that are not in our table.
  const known = CODES.includes(code) ? code : "INTERNAL";
  return endingOfError(new MilepostError(known, message));
}

/** An error of ours, which tells by its code whether the same may succeed later. */
export function endingOfError(error: MilepostError): Ending {
  return { error, isFinal: !ERRORS[error.code].retryable };
}

/** The connection was lost, or what came over it cannot be used. */
export function endingOfTrouble(what: string, cause?: unknown): Ending {
  return { error: new MilepostError("STREAM_BROKEN", what, { cause }), isFinal: false };
}
