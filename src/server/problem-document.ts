/** The document that every refusal has (RFC 9457), also where there is no request to answer. */

import { ERROR_MEANINGS } from "../error-meanings.ts";
import { ERRORS, type ErrorCode, type MilepostError } from "../errors.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** What is known of an error, for whoever asked. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  /** The path of the request, percent-encoded; absent where it could not be read. */
  readonly instance?: string;
  readonly retryable: boolean;
  readonly executed?: number;
}

/**
 * The document of an error, in which nothing of this machine is shown.
 *
 * @param status - that of the answer, where HTTP has a closer one than the table of errors.
 */
export function problemDocument(
  error: MilepostError,
  { instance, status = ERRORS[error.code].httpStatus }: { readonly instance?: string; readonly status?: number } = {},
): ProblemDocument {
  const row = ERRORS[error.code];
  const meaning = ERROR_MEANINGS[error.code];
  const { executed } = error.context;
  return {
    type: `urn:milepost:error:${error.code}`,
    title: meaning,
    status,
    // Text of a fault of this side may hold paths of this machine.
    detail: row.httpStatus === 500 ? meaning : error.message,
    code: error.code,
    ...(instance !== undefined && { instance }),
    retryable: row.retryable,
    ...(typeof executed === "number" && { executed }),
  };
}
