/** Reporting: begin an upgrade, give it commands. */

import { z } from "zod";

import { isMilepostError, MilepostError, shown } from "../../../errors.ts";
import { checkNewId, checkObject } from "../../../model/check.ts";
import { checkCommand, type Command } from "../../../model/command.ts";
import type { ProgressEvent } from "../../../model/event.ts";
import { checkFields } from "../../../model/known-fields.ts";
import { isFinalUpgradeStatus } from "../../../model/vocabulary.ts";
import type { UpgradeProgress } from "../../../model/upgrade.ts";
import type { Grant, Target } from "../../auth/grant.ts";
import { authorise } from "../../auth/refusal.ts";
import { keyOf, type Requests } from "../idempotency.ts";
import { changeOf } from "../change-of.ts";
import { answerable } from "../negotiate.ts";
import { readJson } from "../read-body.ts";
import type { Parameter, Route } from "../route.ts";
import { commands, MAX_COMMANDS, newUpgrade, taskDefinition } from "../schemas/commands.ts";
import { event } from "../schemas/state.ts";
import { named } from "../schemas/values.ts";
import { withUpgrade, type Service } from "../service.ts";
import { UPGRADE_ID } from "./upgrade-routes.ts";

const JSON_TYPE = "application/json";
/** Readers get it within some milliseconds; an answer waits for that, and not for a reader in trouble. */
const TOLD_WITHIN_MS = 500;

const IDEMPOTENCY_KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "The same request with the same key takes effect once, however often it comes, also over a restart of the server",
  schema: z
    .string()
    .max(255)
    .regex(/^[!-~]+$/)
    .optional(),
};

const reported = z.object({
  upgradeId: z.string(),
  events: z.array(event).describe("What the commands made happen, or what had made it so before"),
  cursor: z.string().describe("The place right behind the last of them"),
});
named.add(reported, { id: "Reported" });

export function reportRoutes(service: Service, requests: Requests): readonly Route[] {
  return [createRoute(service, requests), commandsRoute(service, requests)];
}

function createRoute(service: Service, requests: Requests): Route {
  return {
    method: "post",
    path: "/api/v1/upgrades",
    operationId: "startUpgrade",
    summary: "Begin an upgrade, with its tasks when they are known",
    description:
      "Idle when this upgrade runs already (200). On a finished upgrade it begins the next run. " +
      "Without `upgradeId` the server makes one.",
    action: "report",
    parameters: [IDEMPOTENCY_KEY],
    body: newUpgrade,
    answers: {
      200: { description: "It had begun before", content: { [JSON_TYPE]: reported } },
      201: {
        description: "It has begun",
        content: { [JSON_TYPE]: reported },
        headers: { Location: "The address of its state" },
      },
    },
    errors: [...BODY_ERRORS, "UPGRADE_MISMATCH", "UNKNOWN_TASK", "TASK_EXISTS"],
    handle: async (c) => {
      answerable(c, [JSON_TYPE]);
      const grant = service.identify(c);
      const key = keyOf(c);
      const { upgradeId = requests.newId(grant, key), identity, list } = creation(await readJson(c));
      const before = await authoriseCreation(service, grant, { upgradeId, clusterName: identity.clusterName });
      const { events, isRepeated } = await requests.execute({
        upgradeId,
        commands: list,
        identity,
        key,
        grant: grant as Grant,
      });
      await untilTold(service, upgradeId, events);
      c.header("Location", `/api/v1/upgrades/${encodeURIComponent(upgradeId)}`);
      return c.json(answerOf(upgradeId, events), isRunning(before) && !isRepeated ? 200 : 201);
    },
  };
}

function commandsRoute(service: Service, requests: Requests): Route {
  return {
    method: "post",
    path: "/api/v1/upgrades/{id}/commands",
    operationId: "execute",
    summary: "Give an upgrade one command, or several in order",
    description:
      "Each command is checked before the first is executed. When one is refused by the state of the upgrade, those before it " +
      "have happened (`executed` in the problem says how many), and those after it have not. The answer comes when all is stored.",
    action: "report",
    parameters: [UPGRADE_ID, IDEMPOTENCY_KEY],
    body: commands,
    answers: { 200: { description: "What happened", content: { [JSON_TYPE]: reported } } },
    errors: [
      ...BODY_ERRORS,
      "UNKNOWN_COMMAND",
      "UNKNOWN_TASK",
      "TASK_EXISTS",
      "TASK_HAS_CHILDREN",
      "ILLEGAL_TRANSITION",
      "ALREADY_DONE",
    ],
    handle: (c) =>
      withUpgrade(service, c, { action: "report" }, async (log, grant) => {
        answerable(c, [JSON_TYPE]);
        const { upgradeId } = log.state;
        if (upgradeId !== log.ref)
          throw new MilepostError("CLOSED", `${shown(log.ref)} is a finished run; report into ${shown(upgradeId)}`);
        const key = keyOf(c);
        const list = commandsIn(await readJson(c));
        const { events } = await requests.execute({ upgradeId, commands: list, key, grant });
        await untilTold(service, upgradeId, events);
        return c.json(answerOf(upgradeId, events));
      }),
  };
}

const BODY_ERRORS = [
  "INVALID_ARGUMENT",
  "INVALID_ID",
  "INVALID_PERCENT",
  "INVALID_TEXT",
  "INVALID_PAYLOAD",
  "UNSUPPORTED_MEDIA_TYPE",
  "TOO_LARGE",
  "KEY_REUSED",
  "LOCKED",
  "STORAGE_DEGRADED",
  "STORAGE_UNUSABLE",
] as const;

const answerOf = (upgradeId: string, events: readonly ProgressEvent[]) => ({
  upgradeId,
  events,
  cursor: events.at(-1)?.cursor ?? "",
});

/** So that whoever has reported reads what it has reported. Never throws: it has happened in any case. */
async function untilTold(
  { hub, closing }: Service,
  upgradeId: string,
  events: readonly ProgressEvent[],
): Promise<void> {
  const cursor = events.at(-1)?.cursor;
  if (typeof cursor !== "string") return;
  try {
    const log = await hub.open(upgradeId);
    try {
      const until = performance.now() + TOLD_WITHIN_MS;
      while ((await log.locate(cursor)) === undefined && performance.now() < until && !closing.aborted)
        await changeOf(log, TOLD_WITHIN_MS, closing);
    } finally {
      log.release();
    }
  } catch {
    // A log that cannot be read now is told of by whoever reads it.
  }
}

/** @throws what `checkCommand` throws, for the first command that is none. */
function commandsIn(body: unknown): readonly Command[] {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (list.length === 0 || list.length > MAX_COMMANDS)
    throw new MilepostError("INVALID_ARGUMENT", `a request has 1 to ${MAX_COMMANDS} commands, not ${list.length}`);
  return list.map((each, index) => {
    try {
      return checkCommand(each);
    } catch (error) {
      if (!isMilepostError(error) || list.length === 1) throw error;
      throw new MilepostError(error.code, `command ${index + 1} of ${list.length}: ${error.message}`, {
        context: { ...error.context, executed: 0 },
        cause: error,
      });
    }
  });
}

const NEW_UPGRADE: ReadonlySet<string> = new Set(Object.keys(newUpgrade.shape));
const NEW_TASK: ReadonlySet<string> = new Set(Object.keys(taskDefinition.shape));

/** @throws INVALID_ARGUMENT, INVALID_ID, INVALID_TEXT, INVALID_PAYLOAD. */
function creation(body: unknown) {
  const fields = checkObject(body, "the body");
  checkFields(fields, NEW_UPGRADE, "a new upgrade");
  const { upgradeId, planId, clusterName, phase, tasks = [] } = fields;
  if (!Array.isArray(tasks) || tasks.length >= MAX_COMMANDS)
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `tasks must be an array of fewer than ${MAX_COMMANDS}, not ${shown(tasks)}`,
    );
  const start = checkCommand({ type: "startUpgrade", ...(phase !== undefined && { phase }) });
  const additions = tasks.map((task) => {
    checkFields(checkObject(task, "a task"), NEW_TASK, "a task");
    return checkCommand({ ...(task as object), type: "addTask" });
  });
  return {
    ...(upgradeId !== undefined && { upgradeId: addressable(checkNewId(upgradeId, "upgradeId")) }),
    identity: {
      ...(planId !== undefined && { planId: checkNewId(planId, "planId") }),
      ...(clusterName !== undefined && { clusterName: checkNewId(clusterName, "clusterName") }),
    },
    list: [start, ...additions],
  };
}

/** @throws INVALID_ID for what no address can name: every client takes these two for folders. */
function addressable(upgradeId: string): string {
  if (upgradeId !== "." && upgradeId !== "..") return upgradeId;
  throw new MilepostError("INVALID_ID", `upgradeId ${shown(upgradeId)} cannot stand in an address; choose another`);
}

/**
 * The state of the upgrade that is to be begun, if there is one. One who may report into a cluster may begin upgrades there,
 * and may not touch one of another cluster; an id that is taken is refused as one that is not the caller's.
 *
 * @throws UNAUTHENTICATED, FORBIDDEN.
 */
async function authoriseCreation(
  { hub }: Service,
  grant: Grant | undefined,
  { upgradeId, clusterName = "unknown" }: { readonly upgradeId: string; readonly clusterName?: string | undefined },
): Promise<UpgradeProgress | undefined> {
  mayBegin(grant, { kind: "upgrade", upgradeId, clusterName });
  try {
    const log = await hub.open(upgradeId);
    log.release();
    mayBegin(grant, { kind: "upgrade", upgradeId, clusterName: log.state.clusterName });
    return log.state;
  } catch (error) {
    if (isMilepostError(error, "UNKNOWN_UPGRADE")) return undefined;
    throw error;
  }
}

function mayBegin(grant: Grant | undefined, target: Target): asserts grant is Grant {
  try {
    authorise(grant, "report", target);
  } catch (error) {
    if (!isMilepostError(error, "UNKNOWN_UPGRADE")) throw error;
    throw new MilepostError(
      "FORBIDDEN",
      "these credentials do not give the right to begin this upgrade; ask whoever runs this server",
    );
  }
}

const isRunning = (state: UpgradeProgress | undefined): boolean =>
  state !== undefined && state.status !== "not_started" && !isFinalUpgradeStatus(state.status);
