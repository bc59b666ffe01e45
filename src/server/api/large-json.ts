/** JSON of a size that nobody should wait for: sent part by part, as fast as it is read. */

import type { ApiContext } from "./route.ts";

const ITEMS_PER_PART = 500;

/** Answers with the fields of `head`, of which there must be one, and these lists. */
export function largeJson(c: ApiContext, head: object, lists: Readonly<Record<string, Iterable<unknown>>>): Response {
  c.header("Content-Type", "application/json");
  return c.req.method === "HEAD" ? c.body(null) : c.body(inParts(jsonParts(head, lists)));
}

/** The JSON text, in parts small enough that none of them stalls the event loop. */
function* jsonParts(head: object, lists: Readonly<Record<string, Iterable<unknown>>>): Generator<string, undefined> {
  yield JSON.stringify(head).slice(0, -1);
  for (const [name, items] of Object.entries(lists)) {
    yield `,${JSON.stringify(name)}:[`;
    let batch: string[] = [];
    let separator = "";
    for (const item of items) {
      batch.push(JSON.stringify(item));
      if (batch.length < ITEMS_PER_PART) continue;
      yield separator + batch.join(",");
      separator = ",";
      batch = [];
    }
    yield `${batch.length > 0 ? separator : ""}${batch.join(",")}]`;
  }
  yield "}";
  return undefined;
}

/** A body that is made part by part. */
function inParts(parts: Generator<string, undefined>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Other work goes first: a large answer is no hurry.
        await new Promise((next) => setImmediate(next));
        const part = parts.next();
        if (part.done === true) controller.close();
        else controller.enqueue(encoder.encode(part.value));
      },
    },
    { highWaterMark: 0 },
  );
}
