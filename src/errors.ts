/**
 * Every error Milepost raises, in one table, and the one class that carries it.
 *
 * Callers branch on `code`, never on the text. `docs/errors.md` lists the same rows; a test compares the two.
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
  /** What it means, for `docs/errors.md`. */
  readonly meaning: string;
}

const row = (exitCode: number, httpStatus: number, retryable: boolean, meaning: string): ErrorRow => ({
  exitCode,
  httpStatus,
  retryable,
  meaning,
});

/** A row of an error that ends a WebSocket connection. */
const closing = (
  closeCode: number,
  [exitCode, httpStatus, retryable, meaning]: readonly [number, number, boolean, string],
): ErrorRow & { readonly closeCode: number } => ({ ...row(exitCode, httpStatus, retryable, meaning), closeCode });

/** The table of error codes. The keys are public and stable. */
export const ERRORS = {
  INVALID_ARGUMENT: row(2, 400, false, "An option or argument is of the wrong kind or out of range."),
  INVALID_ID: row(2, 400, false, "An id is empty, too long, not well formed, or holds a control character."),
  INVALID_PERCENT: row(2, 400, false, "A percentage is not a finite number from 0 to 100."),
  INVALID_TEXT: row(2, 400, false, "A message, name or log text is not text or is too long."),
  INVALID_PAYLOAD: row(2, 400, false, "Details are not plain JSON data within the limits of depth, keys and size."),
  UNKNOWN_COMMAND: row(2, 400, false, "A command has a type that Milepost does not know."),
  UNKNOWN_UPGRADE: row(3, 404, false, "The storage holds no upgrade of this id."),
  UNKNOWN_TASK: row(3, 404, false, "The upgrade has no task of this id."),
  TASK_EXISTS: row(2, 409, false, "A task of this id exists with another definition."),
  TASK_HAS_CHILDREN: row(2, 409, false, "The percentage of a task with children is rolled up from them."),
  ILLEGAL_TRANSITION: row(2, 409, false, "The status does not allow this command."),
  ALREADY_DONE: row(2, 409, false, "The task is already completed."),
  UPGRADE_MISMATCH: row(2, 409, false, "The stored upgrade has another plan or cluster than the one given."),
  LIMIT_REACHED: row(2, 413, false, "A documented limit is reached."),
  LOCKED: row(5, 423, true, "Another process is writing this upgrade."),
  FENCED: row(5, 409, false, "Another process has taken this upgrade over."),
  CLOSED: row(1, 409, false, "The tracker, storage or reader is closed."),
  CORRUPT: row(4, 500, false, "The stored log is damaged; nothing is skipped."),
  NEWER_FORMAT: row(4, 500, false, "The log was written by a newer Milepost."),
  CURSOR_GONE: row(3, 410, false, "The cursor is not on the history of this log."),
  STORAGE_DEGRADED: row(1, 503, true, "The storage does not take writes; events wait in memory."),
  STORAGE_UNUSABLE: row(1, 503, false, "The storage cannot be used at all (path, permission, format)."),
  ASYNC_STORAGE: row(2, 500, false, "This storage writes asynchronously: use `await ProgressTracker.open(...)`."),
  MISSING_PACKAGE: row(1, 500, false, "An optional package that this feature needs is not installed."),
  TIMEOUT: row(6, 504, true, "The time given ran out first."),
  CANCELLED: row(1, 499, false, "The caller cancelled the wait."),
  UNAUTHENTICATED: closing(4501, [7, 401, false, "No credentials came in time, or they are not valid here."]),
  TOKEN_EXPIRED: closing(4401, [7, 401, true, "The credentials have expired; come back with new ones."]),
  FORBIDDEN: closing(4503, [7, 403, false, "These credentials, this origin or this host do not allow it."]),
  RATE_LIMITED: closing(4429, [1, 429, true, "Too many requests, messages or connections; wait, then try again."]),
  TOO_SLOW: closing(4408, [1, 503, true, "The reader took nothing for too long; come back with the cursor."]),
  STREAM_BROKEN: closing(4499, [1, 500, true, "The server could not go on with a stream; come back with the cursor."]),
  SHUTTING_DOWN: closing(1001, [1, 503, true, "The server stops; come back later."]),
  TOO_MANY_MISTAKES: closing(4500, [2, 400, false, "Message after message was refused."]),
  TOO_LARGE: closing(1009, [2, 413, false, "A message or body is larger than what is taken."]),
  NOT_FOUND: row(3, 404, false, "There is nothing at this address."),
  METHOD_NOT_ALLOWED: row(2, 405, false, "This address does not take this method."),
  UNSUPPORTED_MEDIA_TYPE: row(2, 415, false, "A body is not of a type that is taken."),
  NOT_ACCEPTABLE: row(2, 406, false, "None of the types that the caller accepts can be given."),
  KEY_REUSED: row(2, 422, false, "The Idempotency-Key was used before, for another request."),
  NOTIFIER_UNUSABLE: row(1, 503, true, "A notifier cannot tell anything: its address, credentials or rules are wrong."),
  INTERNAL: row(1, 500, true, "A fault of Milepost's own; its log says which."),
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
