/** Requests to a Milepost server over HTTP: tried again while it is away or busy, and its errors as the library's own. */

import { setTimeout as sleep } from "node:timers/promises";

import { ERRORS, MilepostError, shown, type ErrorCode } from "../errors.ts";

/** Which server, and who asks. */
export interface ServerAddress {
  /** The server's address, with the path that a proxy may put before it. */
  readonly server: string;
  readonly token: string | undefined;
}

export interface ServerRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the address of the server, without a slash at its beginning. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long to try while the server cannot be reached or is busy. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** 423: the process that holds the upgrade does not answer now. 502 and 504 come from a proxy whose server is away. */
const BUSY: readonly number[] = [423, 429, 502, 503, 504];
/** There is no sense in another try with less time than this. */
const SHORTEST_TRY_MS = 250;

/** The address as a folder. @throws INVALID_ARGUMENT for one that is none, or that holds a password. */
export function serverBase(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `--server must be an address such as http://127.0.0.1:8765, without a password, not ${shown(server.replace(/^([^/]*\/\/).*@/, "$1…@"))}`,
    );
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.search = url.hash = "";
  return url;
}

/**
 * The answer of the server, whose status says that it went well.
 *
 * @throws what the server says; TIMEOUT when it gave no answer in time; INVALID_ARGUMENT; the reason of `signal` once that is aborted.
 */
export async function askServer(address: ServerAddress, request: ServerRequest): Promise<Response> {
  const base = serverBase(address.server);
  const until = performance.now() + request.timeoutMs;
  let said: MilepostError | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const answer = await ask(new URL(request.path, base), address, request, until - performance.now());
    request.signal?.throwIfAborted();
    if (answer instanceof Response && answer.ok) return answer;
    if (answer instanceof Response && !BUSY.includes(answer.status)) throw await problemIn(answer, address.server);
    // What the server said last tells more than that it said nothing in the moments that were left.
    // It is read at once: when its own time is over, its body cannot be read any more.
    if (answer instanceof Response) said = await problemIn(answer, address.server);
    const pause = pauseMs * (0.5 + Math.random());
    if (until - performance.now() < pause + SHORTEST_TRY_MS) {
      throw said ?? unreachable(address, request, answer as Error);
    }
    await sleep(pause, undefined, { signal: request.signal });
  }
}

/** The answer, or why there was none. */
async function ask(
  url: URL,
  { token }: ServerAddress,
  { method, headers, body, signal }: ServerRequest,
  timeoutMs: number,
): Promise<Response | Error> {
  const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
  try {
    return await fetch(url, {
      method,
      headers: { ...headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body }),
      // A token goes where it was sent, and nowhere else.
      redirect: "error",
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
  } catch (error) {
    return error as Error;
  }
}

function unreachable({ server }: ServerAddress, { timeoutMs }: ServerRequest, error: Error): MilepostError {
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code ?? cause.message;
  return new MilepostError(
    "TIMEOUT",
    `${shown(server)} gave no answer within ${timeoutMs / 1000} s (${cause.name === "TimeoutError" ? "it took too long" : code}); is a Milepost server running there?`,
    { cause: error },
  );
}

async function problemIn(answer: Response, server: string): Promise<MilepostError> {
  const { code, detail } = (await jsonIn(answer)) as { readonly code?: unknown; readonly detail?: unknown };
  if (typeof code !== "string" || !Object.hasOwn(ERRORS, code) || typeof detail !== "string")
    return noMilepost(answer, server);
  return new MilepostError(code as ErrorCode, detail);
}

/** The JSON object of an answer; what is no JSON object at all comes as an empty one. */
export async function jsonIn(answer: Response): Promise<object> {
  try {
    const value: unknown = JSON.parse(await answer.text());
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** The error for an answer that no Milepost server gives. */
export function noMilepost({ status }: Response, server: string): MilepostError {
  return new MilepostError(
    "INTERNAL",
    `${shown(server)} answers ${status}, and not as a Milepost server does; check the address`,
  );
}
