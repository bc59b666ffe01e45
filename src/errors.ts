/**
 * Every error Milepost raises, in one table, and the one class that carries it.
 *
 * Callers branch on `code`, never on the text. What each means is told beside it, in `error-meanings.ts`: a browser need not load
 * it. `docs/errors.md` lists the same rows; a test compares them.
 */

/** How one kind of error is shown at each door. */
export interface ErrorRow {
  /** Process exit status of the command line. */
  readonly exitCode: number;
  /** Status of the HTTP answer. */
  readonly httpStatus: number;
  /** WebSocket close code, where the error ends a connection: 4000-4499 reconnect, 4500-4999 do not. */
  readonly closeCode?: number;
  /** True if the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
}

const row = (exitCode: number, httpStatus: number, retryable: boolean): ErrorRow => ({
  exitCode,
  httpStatus,
  retryable,
});

/** The row of an error that ends a WebSocket connection. */
const closing = (closeCode: number, rest: ErrorRow): ErrorRow & { readonly closeCode: number } => ({
  ...rest,
  closeCode,
});

/** The table of error codes. The keys are public and stable. */
export const ERRORS = {
  INVALID_ARGUMENT: row(2, 400, false),
  INVALID_ID: row(2, 400, false),
  INVALID_PERCENT: row(2, 400, false),
  INVALID_TEXT: row(2, 400, false),
  INVALID_PAYLOAD: row(2, 400, false),
  UNKNOWN_COMMAND: row(2, 400, false),
  UNKNOWN_UPGRADE: row(3, 404, false),
  UNKNOWN_TASK: row(3, 404, false),
  TASK_EXISTS: row(2, 409, false),
  TASK_HAS_CHILDREN: row(2, 409, false),
  ILLEGAL_TRANSITION: row(2, 409, false),
  ALREADY_DONE: row(2, 409, false),
  UPGRADE_MISMATCH: row(2, 409, false),
  LIMIT_REACHED: row(2, 413, false),
  LOCKED: row(5, 423, true),
  FENCED: row(5, 409, false),
  CLOSED: row(1, 409, false),
  CORRUPT: row(4, 500, false),
  NEWER_FORMAT: row(4, 500, false),
  CURSOR_GONE: row(3, 410, false),
  STORAGE_DEGRADED: row(1, 503, true),
  STORAGE_UNUSABLE: row(1, 503, false),
  ASYNC_STORAGE: row(2, 500, false),
  MISSING_PACKAGE: row(1, 500, false),
  TIMEOUT: row(6, 504, true),
  CANCELLED: row(1, 499, false),
  UNAUTHENTICATED: closing(4501, row(7, 401, false)),
  TOKEN_EXPIRED: closing(4401, row(7, 401, true)),
  FORBIDDEN: closing(4503, row(7, 403, false)),
  RATE_LIMITED: closing(4429, row(1, 429, true)),
  TOO_SLOW: closing(4408, row(1, 503, true)),
  STREAM_BROKEN: closing(4499, row(1, 500, true)),
  SHUTTING_DOWN: closing(1001, row(1, 503, true)),
  TOO_MANY_MISTAKES: closing(4500, row(2, 400, false)),
  TOO_LARGE: closing(1009, row(2, 413, false)),
  NOT_FOUND: row(3, 404, false),
  METHOD_NOT_ALLOWED: row(2, 405, false),
  UNSUPPORTED_MEDIA_TYPE: row(2, 415, false),
  NOT_ACCEPTABLE: row(2, 406, false),
  KEY_REUSED: row(2, 422, false),
  NOTIFIER_UNUSABLE: row(1, 503, true),
  INTERNAL: row(1, 500, true),
} as const satisfies Record<string, ErrorRow>;

/** A key of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** Options of {@link MilepostError}. */
export interface ErrorContext {
  /** Values that explain the error: the id, the value seen, the file. Never a secret. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** The foreign error that led to this one. */
  readonly cause?: unknown;
}

/** The one error class: says what was wrong, the value seen, and what to do. Branch on {@link MilepostError.code}. */
export class MilepostError extends Error {
  override readonly name = "MilepostError";
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, { context = {}, cause }: ErrorContext = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.context = context;
  }
}

/** True for a {@link MilepostError} of one of these codes (of any code when none is given), also one of another copy of the package. */
export function isMilepostError(error: unknown, ...codes: readonly ErrorCode[]): error is MilepostError {
  if (!(error instanceof Error) || error.name !== "MilepostError") return false;
  return codes.length === 0 || codes.includes((error as MilepostError).code);
}

/** A value as it may be shown inside an error message: JSON, cut to a readable length, never a control character. */
export function shown(value: unknown): string {
  let text: string;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "undefined") text = String(value);
  else if (typeof value === "function") text = "a function";
  else if (typeof value === "object" && value !== null) text = isArray(value) ? "an array" : "an object";
  else text = JSON.stringify(typeof value === "symbol" ? String(value) : value);
  const safe = text.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return safe.length > 120 ? `${safe.slice(0, 117).toWellFormed()}...` : safe;
}

/** Not `Array.isArray` bare: a revoked Proxy throws at it, and an error message must not. */
function isArray(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
