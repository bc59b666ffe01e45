/** Reports to a server over HTTP, as the verbs do to a storage: the same events, the same errors. */

import { setTimeout as sleep } from "node:timers/promises";

import { ERRORS, MilepostError, shown, type ErrorCode } from "../errors.ts";
import type { Command } from "../model/command.ts";
import type { ProgressEvent } from "../model/event.ts";

export interface ServerReport {
  /** The server's address, with the path that a proxy may put before it. */
  readonly server: string;
  readonly token: string | undefined;
  readonly upgradeId: string;
  readonly planId: string | undefined;
  readonly clusterName: string | undefined;
  readonly commands: readonly Command[];
  /** How long to try while the server cannot be reached or is busy. */
  readonly timeoutMs: number;
  /** The same for every try, so that a report whose answer was lost happens once. */
  readonly idempotencyKey: string;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** 423: the process that holds the upgrade does not answer now. 502 and 504 come from a proxy whose server is away. */
const BUSY: readonly number[] = [423, 429, 502, 503, 504];
/** There is no sense in another try with less time than this. */
const SHORTEST_TRY_MS = 250;

/** @throws what the server says; TIMEOUT when it gave no answer in time; INVALID_ARGUMENT for an address that is none. */
export async function reportToServer(report: ServerReport): Promise<readonly ProgressEvent[]> {
  const until = performance.now() + report.timeoutMs;
  const request = requestOf(report);
  let said: Response | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const answer = await ask(request, report, until - performance.now());
    if (answer instanceof Response && !BUSY.includes(answer.status)) return eventsIn(answer, report.server);
    // What the server said last tells more than that it said nothing in the moments that were left.
    if (answer instanceof Response) said = answer;
    const pause = pauseMs * (0.5 + Math.random());
    if (until - performance.now() < pause + SHORTEST_TRY_MS)
      throw said !== undefined ? await problemIn(said, report.server) : unreachable(report, answer as Error);
    await sleep(pause);
  }
}

interface ServerRequest {
  readonly url: URL;
  readonly body: string;
}

/** Beginning an upgrade has an address of its own, which takes plan and cluster. */
function requestOf({ server, upgradeId, planId, clusterName, commands }: ServerReport): ServerRequest {
  const base = baseOf(server);
  const [first] = commands;
  if (first?.type === "startUpgrade" && commands.length === 1) {
    const body = JSON.stringify({ upgradeId, planId, clusterName, phase: first.phase });
    return { url: new URL("api/v1/upgrades", base), body };
  }
  const url = new URL(`api/v1/upgrades/${encodeURIComponent(upgradeId)}/commands`, base);
  return { url, body: JSON.stringify(commands) };
}

function baseOf(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `--server must be an address such as http://127.0.0.1:8765, without a password, not ${shown(server.replace(/\/\/.*@/, "//…@"))}`,
    );
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.search = url.hash = "";
  return url;
}

/** The answer, or why there was none. */
async function ask({ url, body }: ServerRequest, report: ServerReport, timeoutMs: number): Promise<Response | Error> {
  const { token, idempotencyKey } = report;
  const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
  try {
    return await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json, application/problem+json",
        "Idempotency-Key": idempotencyKey,
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      body,
      // A token goes where it was sent, and nowhere else.
      redirect: "error",
      signal,
    });
  } catch (error) {
    return error as Error;
  }
}

function unreachable({ server, timeoutMs }: ServerReport, error: Error): MilepostError {
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code ?? cause.message;
  return new MilepostError(
    "TIMEOUT",
    `${shown(server)} gave no answer within ${timeoutMs / 1000} s (${cause.name === "TimeoutError" ? "it took too long" : code}); is a Milepost server running there?`,
    { cause: error },
  );
}

async function eventsIn(answer: Response, server: string): Promise<readonly ProgressEvent[]> {
  if (!answer.ok) throw await problemIn(answer, server);
  const { events } = (await jsonIn(answer)) as { readonly events?: unknown };
  if (Array.isArray(events)) return events as readonly ProgressEvent[];
  throw noMilepost(answer, server);
}

async function problemIn(answer: Response, server: string): Promise<MilepostError> {
  const { code, detail } = (await jsonIn(answer)) as { readonly code?: unknown; readonly detail?: unknown };
  if (typeof code !== "string" || !Object.hasOwn(ERRORS, code) || typeof detail !== "string")
    return noMilepost(answer, server);
  return new MilepostError(code as ErrorCode, detail);
}

/** What is no JSON object at all comes as an empty one. */
async function jsonIn(answer: Response): Promise<object> {
  try {
    const value: unknown = JSON.parse(await answer.text());
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

const noMilepost = ({ status }: Response, server: string): MilepostError =>
  new MilepostError(
    "INTERNAL",
    `${shown(server)} answers ${status}, and not as a Milepost server does; check the address`,
  );
