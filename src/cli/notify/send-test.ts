/** `milepost notify test`: sends one message that says that it is a test, through the real notifier. */

import { randomUUID } from "node:crypto";

import { MilepostError, shown } from "../../errors.ts";
import type { ProgressEvent } from "../../model/event.ts";
import { emptyUpgrade } from "../../model/upgrade.ts";
import type { Batch, Notifier, Outcome } from "../../notify/notifier.ts";
import { textOf } from "../../tracker/logger.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { say, type Cli } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { neededConfig, warningLogger, type NotifyOptions } from "./parts.ts";

const TIMEOUT_MS = 30_000;
const IDS = { upgradeId: "notification-test", planId: "test", clusterName: "no-cluster" };

/** Its exit status is 1 unless the message was taken. @throws INVALID_ARGUMENT for a name that is not configured. */
export async function sendTest(cli: Cli, name: string, options: NotifyOptions): Promise<void> {
  const { notifiers, path } = await neededConfig(cli, options, warningLogger(cli));
  const found = notifiers.find(({ notifier }) => notifier.name === name);
  if (found === undefined) {
    const known = notifiers.map(({ notifier }) => notifier.name).join(", ") || "none";
    throw new MilepostError("INVALID_ARGUMENT", `${shown(path)} has no notifier ${shown(name)}; it has ${known}`);
  }
  const { notifier, target } = found;
  const batch = testBatch(new Date(cli.clock.now()));
  const outcome = await outcomeOf(notifier, batch);
  await notifier.close();
  if (outcome.status !== "delivered") cli.exitCode = 1;
  if (options.json === true) {
    sayJson(cli, { notifier: name, kind: notifier.kind, target, eventId: batch.events[0]?.id, ...outcome });
    return;
  }
  const answer = outcome.status === "delivered" ? (outcome.answer ?? "") : `${outcome.code}: ${outcome.message}`;
  const how = outcome.status === "delivered" ? "a test message was sent to" : "no test message could be sent to";
  say(cli, safeText(`${how} ${name} (${notifier.kind}, ${target})${answer === "" ? "" : `: ${answer}`}`) + "\n");
}

/** A notifier that says that it cannot tell is not asked to: some answer "taken" all the same. */
async function outcomeOf(notifier: Notifier, batch: Batch): Promise<Outcome> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    await notifier.check({ signal });
    const [outcome] = await notifier.notify(batch, { signal });
    return outcome ?? { status: "retry", code: "NO_OUTCOME", message: "it did not say what became of it" };
  } catch (error) {
    const code = (error as { code?: unknown } | null | undefined)?.code;
    return { status: "refused", code: typeof code === "string" ? code : "FAILED", message: textOf(error) };
  }
}

function testBatch(now: Date): Batch {
  const time = now.toISOString();
  const phase = "This is a test of notifications: nothing is being upgraded";
  const event: ProgressEvent = {
    ...{ seq: 1, cursor: "test.test.1", ms: 0, id: randomUUID(), time, upgradeId: IDS.upgradeId },
    ...{ type: "upgrade.started", status: "in_progress", phase },
  };
  const state = emptyUpgrade(IDS, { cursor: event.cursor });
  return {
    events: [event],
    state: { ...state, seq: 1, status: "in_progress", currentPhase: phase, startedAt: time, startedMs: 0 },
  };
}
