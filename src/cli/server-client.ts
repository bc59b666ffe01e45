/** Reports to a server over HTTP, as the verbs do to a storage: the same events, the same errors. */

import type { Command } from "../model/command.ts";
import type { ProgressEvent } from "../model/event.ts";
import { askServer, jsonIn, noMilepost, type ServerAddress } from "./server-requests.ts";

export interface ServerReport extends ServerAddress {
  readonly upgradeId: string;
  readonly planId: string | undefined;
  readonly clusterName: string | undefined;
  readonly commands: readonly Command[];
  /** How long to try while the server cannot be reached or is busy. */
  readonly timeoutMs: number;
  /** The same for every try, so that a report whose answer was lost happens once. */
  readonly idempotencyKey: string;
}

/** @throws what the server says; TIMEOUT when it gave no answer in time; INVALID_ARGUMENT for an address that is none. */
export async function reportToServer(report: ServerReport): Promise<readonly ProgressEvent[]> {
  const { server, timeoutMs, idempotencyKey } = report;
  const answer = await askServer(report, {
    method: "POST",
    ...requestOf(report),
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, application/problem+json",
      "Idempotency-Key": idempotencyKey,
    },
    timeoutMs,
  });
  const { events } = (await jsonIn(answer)) as { readonly events?: unknown };
  if (Array.isArray(events)) return events as readonly ProgressEvent[];
  throw noMilepost(answer, server);
}

/** Beginning an upgrade has an address of its own, which takes plan and cluster. */
function requestOf({ upgradeId, planId, clusterName, commands }: ServerReport): {
  readonly path: string;
  readonly body: string;
} {
  const [first] = commands;
  if (first?.type === "startUpgrade" && commands.length === 1) {
    const body = JSON.stringify({ upgradeId, planId, clusterName, phase: first.phase });
    return { path: "api/v1/upgrades", body };
  }
  return { path: `api/v1/upgrades/${encodeURIComponent(upgradeId)}/commands`, body: JSON.stringify(commands) };
}
