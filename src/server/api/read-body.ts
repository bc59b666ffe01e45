/** The JSON body of a request, within limits that are checked before it is parsed. */

import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import { scanJson } from "../../scan-json.ts";
import type { ApiContext } from "./route.ts";

/** At most so many bytes in one body. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Deeper than anything that a command may hold: what passes here is judged by the commands' own checks. */
export const JSON_LIMITS = { maxDepth: 40, maxNames: 20_000 } as const;

const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?(?:;\s*)?$/i;

/** @throws UNSUPPORTED_MEDIA_TYPE, TOO_LARGE, INVALID_PAYLOAD, INVALID_ARGUMENT, CANCELLED. */
export async function readJson(c: ApiContext): Promise<unknown> {
  const type = c.req.header("content-type");
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw new MilepostError(
      "UNSUPPORTED_MEDIA_TYPE",
      `the body must be application/json in UTF-8, not ${type === undefined ? "of no type" : shown(type)}`,
    );
  }
  const encoding = c.req.header("content-encoding");
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity")
    throw new MilepostError("UNSUPPORTED_MEDIA_TYPE", `the body must not be encoded as ${shown(encoding)}`);
  const bytes = await readBytes(c);
  const twice = scanJson(bytes, JSON_LIMITS);
  if (twice !== undefined)
    throw new MilepostError("INVALID_ARGUMENT", `the body has ${shown(twice)} twice in one object; give it once`);
  return parse(bytes);
}

async function readBytes(c: ApiContext): Promise<Buffer> {
  if (Number(c.req.header("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const body = c.req.raw.body;
  if (body === null) return Buffer.alloc(0);
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      size += piece.byteLength;
      if (size > MAX_BODY_BYTES) throw tooLarge();
      pieces.push(piece);
    }
  } catch (error) {
    if (isMilepostError(error)) throw error;
    throw new MilepostError("CANCELLED", "the body did not come to its end", { cause: error });
  }
  return Buffer.concat(pieces);
}

const tooLarge = () =>
  new MilepostError("TOO_LARGE", `the body is larger than ${MAX_BODY_BYTES} bytes; send it as several requests`);

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    const what = error instanceof SyntaxError ? `no JSON (${error.message.slice(0, 100)})` : "not UTF-8";
    throw new MilepostError("INVALID_ARGUMENT", `the body is ${what}`, { cause: error });
  }
}
