/** Gives commands to an upgrade from wherever it is written: opened here if it is free, else through the process that holds it. */

import type { connect as NetConnect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { ERRORS, isMilepostError, MilepostError, type ErrorCode } from "../errors.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { Storage } from "../storage/storage.ts";
import type { SocketAnswer } from "./command-socket.ts";
import { openTracker } from "./open.ts";
import { runAwaiting } from "./steps.ts";

export interface SendOptions {
  /** How long to wait for the holder, or for the lock. */
  readonly timeoutMs?: number;
  /** Used when the upgrade is new here. */
  readonly ids?: { readonly planId?: string | undefined; readonly clusterName?: string | undefined };
  /** What the log says of who wrote. */
  readonly program?: string;
  /** Displace a process that holds the upgrade instead of handing the commands to it. */
  readonly takeOver?: boolean | undefined;
}

const RETRY_MS = 50;
const SNAPSHOT_EVENTS = 5_000;

/**
 * Executes commands in order, as one writer's stay or through the holder, and flushes. Resolves with the events.
 *
 * @throws the first refused command's error (those before it have happened); LOCKED when the holder did not answer in time.
 */
export async function sendCommands(
  storage: Storage,
  upgradeId: string,
  commands: readonly unknown[],
  { timeoutMs = 10_000, ids = {}, program = "milepost", takeOver }: SendOptions = {},
): Promise<readonly ProgressEvent[]> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await executeHere(storage, upgradeId, commands, { ...ids, program, takeOver });
    } catch (error) {
      if (!isMilepostError(error, "LOCKED") || performance.now() > until) throw error;
      const events = await executeThere(storage, upgradeId, commands, until - performance.now());
      if (events !== undefined) return events;
    }
    await sleep(RETRY_MS * (0.5 + Math.random()));
  }
}

async function executeHere(
  storage: Storage,
  upgradeId: string,
  commands: readonly unknown[],
  identity: {
    planId?: string | undefined;
    clusterName?: string | undefined;
    program: string;
    takeOver: boolean | undefined;
  },
): Promise<readonly ProgressEvent[]> {
  const { tracker, snapshotSeq } = await runAwaiting(openTracker({ storage, upgradeId, ...identity }));
  try {
    const events = commands.map((command) => tracker.execute(command));
    // A long log is read anew by every such stay, so one of them makes it short for the others.
    if (tracker.state.seq - snapshotSeq > SNAPSHOT_EVENTS) await tracker.log.saveSnapshot();
    return events;
  } finally {
    await tracker.close();
  }
}

/** The holder's events; undefined when it cannot be reached now. */
async function executeThere(
  storage: Storage,
  upgradeId: string,
  commands: readonly unknown[],
  timeoutMs: number,
): Promise<readonly ProgressEvent[] | undefined> {
  const holder = await storage.holder(upgradeId);
  if (holder?.socket === undefined) return undefined;
  const { connect } = await import("node:net");
  const text = await ask(connect, holder.socket, `${JSON.stringify({ commands })}\n`, timeoutMs);
  if (text === undefined) return undefined;
  const { events, error } = JSON.parse(text) as SocketAnswer;
  if (error === undefined) return events;
  // The holder was displaced or is closing: whoever holds the upgrade next is asked again.
  if (error.code === "FENCED" || error.code === "CLOSED") return undefined;
  const code = Object.hasOwn(ERRORS, error.code) ? (error.code as ErrorCode) : "INVALID_ARGUMENT";
  throw new MilepostError(code, error.message, { context: { ...error.context, executed: events.length } });
}

/** The answer to one request; undefined when nobody listens. @throws LOCKED when the holder listens and does not answer. */
function ask(
  connect: typeof NetConnect,
  address: string,
  request: string,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = "";
    let hasConnected = false;
    const socket = connect(address, () => {
      hasConnected = true;
      socket.write(request);
    });
    const timer = setTimeout(
      () => {
        socket.destroy();
        reject(
          new MilepostError(
            "LOCKED",
            `the process that holds this upgrade did not answer within ${Math.round(timeoutMs)} ms; it may be busy or stopped: try again, or open with --take-over to displace it`,
          ),
        );
      },
      Math.max(1, timeoutMs),
    );
    socket.setEncoding("utf8");
    socket.on("data", (piece: string) => (text += piece));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      // Sent and not answered: the holder died on the way. Asking again repeats what happened idly; a log line may stand twice.
      resolve(hasConnected && text.endsWith("\n") ? text : undefined);
    });
  });
}
