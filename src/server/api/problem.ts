/** Errors as problem documents (RFC 9457). */

import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";

import { ERRORS, isMilepostError, MilepostError, type ErrorCode } from "../../errors.ts";
import { report, type Logger } from "../../tracker/logger.ts";
import { PROBLEM_TYPE, problemDocument } from "../problem-document.ts";
import type { ApiContext } from "./route.ts";
import { named } from "./schemas/values.ts";

/** What every error answers with. */
export const problem = z.object({
  type: z.string().describe("urn:milepost:error:<code>"),
  title: z.string().describe("What the code means"),
  status: z.int(),
  detail: z.string().describe("What was wrong, the value seen, what to do"),
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  instance: z.string().optional().describe("The path of the request, where it could be read"),
  retryable: z.boolean().describe("True if the same request may succeed later without a change"),
  executed: z
    .int()
    .min(0)
    .optional()
    .describe("Of several commands: how many happened before the one that was refused"),
});
named.add(problem, { id: "Problem" });

/** Seconds after which a caller that may come again should. */
const RETRY_AFTER_S = 1;

/** The answer for an error. What is not ours to show is logged, and not shown. */
export function problemAnswer(c: ApiContext, error: unknown, logger: Logger): Response {
  const known = isMilepostError(error) && Object.hasOwn(ERRORS, error.code) ? error : internal(error);
  const row = ERRORS[known.code];
  const status = row.httpStatus as ContentfulStatusCode;
  if (row.httpStatus === 500) report(logger, "error", `${c.req.method} ${c.req.path}`, error);
  // As it was sent: c.req.path is decoded, and might steer the terminal that shows it.
  const body: z.infer<typeof problem> = problemDocument(known, { instance: new URL(c.req.url).pathname });
  c.header("Content-Type", PROBLEM_TYPE);
  c.header("Cache-Control", "no-store");
  if (status === 401) c.header("WWW-Authenticate", 'Bearer realm="milepost"');
  if (status === 429 || status === 503) c.header("Retry-After", String(RETRY_AFTER_S));
  return c.body(JSON.stringify(body), status);
}

function internal(error: unknown): MilepostError {
  return new MilepostError("INTERNAL", "the request could not be handled", { cause: error });
}
