/** Which type a caller gets (RFC 9110, 12.5.1). */

import { parseAccept } from "hono/utils/accept";

import { MilepostError, shown } from "../../errors.ts";
import type { ApiContext } from "./route.ts";

/**
 * The one of `types` that the caller wants most; the first when it does not say.
 *
 * @throws NOT_ACCEPTABLE.
 */
export function answerable<T extends string>(c: ApiContext, types: readonly [T, ...T[]]): T {
  const header = c.req.header("accept");
  if (header === undefined || header.trim() === "") return types[0];
  const wanted = parseAccept(header);
  let best: { readonly type: T; readonly weight: number } | undefined;
  for (const type of types) {
    const weight = weightOf(type, wanted);
    if (weight > 0 && (best === undefined || weight > best.weight)) best = { type, weight };
  }
  if (best === undefined)
    throw new MilepostError("NOT_ACCEPTABLE", `${shown(c.req.path)} gives ${types.join(", ")}, not ${shown(header)}`);
  return best.type;
}

interface Wanted {
  readonly type: string;
  readonly q: number;
}

/** The weight of the most specific range that the type is in; 0 when it is in none. */
function weightOf(type: string, wanted: readonly Wanted[]): number {
  const ranges = [type, `${type.split("/")[0]}/*`, "*/*"];
  for (const range of ranges) {
    const found = wanted.find((each) => each.type.toLowerCase() === range);
    if (found !== undefined) return found.q;
  }
  return 0;
}
