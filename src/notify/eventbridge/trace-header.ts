/** The trace header of AWS X-Ray, which is not the one of the W3C. */

import { MilepostError, shown } from "../../errors.ts";

const XRAY = /^Root=1-[\da-f]{8}-[\da-f]{24}(;Parent=[\da-f]{16})?(;Sampled=[01])?$/i;
const TRACEPARENT = /^00-([\da-f]{8})([\da-f]{24})-([\da-f]{16})-([\da-f]{2})$/;

/** An X-Ray header as it is, or made from a W3C `traceparent`. @throws INVALID_ARGUMENT for anything else. */
export function traceHeaderOf(text: string): string {
  if (XRAY.test(text)) return text;
  const [, epoch, random, parent, flags] = TRACEPARENT.exec(text) ?? [];
  if (epoch === undefined || random === undefined || parent === undefined || flags === undefined) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `traceHeader must be an X-Ray header (Root=1-…;Parent=…;Sampled=1) or a W3C traceparent, not ${shown(text)}`,
    );
  }
  return `Root=1-${epoch}-${random};Parent=${parent};Sampled=${Number.parseInt(flags, 16) & 1}`;
}
