/** `milepost notify drain`: tells what was left behind, and says what is still left, and why. */

import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { Circuit, Delivery, deliveryClock, leftOf, NotifierCheck } from "../../notify/delivery.ts";
import { deliveryReports, type DeliveryReport } from "../../notify/delivery/report.ts";
import { parseNotes } from "../../notify/delivery/sent.ts";
import { rulesRouter } from "../../notify/rules.ts";
import type { Storage } from "../../storage/storage.ts";
import { readUpgrade } from "../../tracker/read.ts";
import { textOf, type Logger } from "../../tracker/logger.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Config } from "../config.ts";
import { sayLines, type Cli } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { storageOf } from "../storage.ts";
import { allUpgrades, neededConfig, openLog, warningLogger, type NotifyOptions } from "./parts.ts";

export interface DrainOptions extends NotifyOptions {
  readonly timeout: number;
}

/** What became of one notifier's delivery of one upgrade. */
interface Drained {
  readonly upgradeId: string;
  readonly notifier: string;
  readonly sent: number;
  readonly deadLetters: number;
  /** Why something is left; absent when nothing is. */
  readonly left?: string;
}

/** Everything to one notifier goes through these. */
type Channel = Pick<ConstructorParameters<typeof Delivery>[0], "notifier" | "router" | "circuit" | "check">;

interface Draining {
  readonly cli: Cli;
  readonly storage: Storage;
  readonly logger: Logger;
  /** Monotonic. */
  readonly deadline: number;
  /** True for an upgrade that was named: then all of it is told, also to notifiers that were never told of it. */
  readonly isNamed: boolean;
}

/** Upgrades that are dealt with at a time. */
const AT_A_TIME = 4;

/** Its exit status is 1 when something is left, or became a dead letter. @throws INVALID_ARGUMENT, UNKNOWN_UPGRADE. */
export async function drain(cli: Cli, id: string | undefined, options: DrainOptions): Promise<void> {
  const logger = warningLogger(cli);
  const config = await neededConfig(cli, options, logger);
  const storage = storageOf(options);
  if (id !== undefined) (await openLog(storage, id)).close();
  const upgrades = [...(id === undefined ? await allUpgrades(storage) : [id])];
  const draining: Draining = {
    ...{ cli, storage, logger, isNamed: id !== undefined },
    deadline: cli.clock.monotonic() + options.timeout,
  };
  const channels = channelsOf(config, draining);
  const found: Drained[] = [];
  const work = async (): Promise<void> => {
    for (let next = upgrades.shift(); next !== undefined; next = upgrades.shift())
      found.push(...(await drainUpgrade(next, channels, draining)));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  await Promise.all(config.notifiers.map(({ notifier }) => notifier.close()));
  if (found.some(({ left, deadLetters }) => left !== undefined || deadLetters > 0)) cli.exitCode = 1;
  tell(cli, found, options);
}

function channelsOf({ notifiers, rules }: Config, { cli, logger }: Draining): readonly Channel[] {
  const shared = { clock: deliveryClock(cli.clock), random: Math.random };
  return notifiers.map(({ notifier }) => ({
    notifier,
    router: rulesRouter(rules, notifier.name),
    circuit: new Circuit(shared),
    check: new NotifierCheck({ notifier, logger, ...shared }),
  }));
}

async function drainUpgrade(
  upgradeId: string,
  channels: readonly Channel[],
  draining: Draining,
): Promise<readonly Drained[]> {
  return Promise.all(
    channels.map(async (channel) => {
      try {
        if (!(await isWanted(upgradeId, channel, draining))) return [];
        return [await drainOne(upgradeId, channel, draining)];
      } catch (error) {
        const { name } = channel.notifier;
        return [{ upgradeId, notifier: name, sent: 0, deadLetters: 0, left: textOf(error) }];
      }
    }),
  ).then((all) => all.flat());
}

async function isWanted(upgradeId: string, { notifier }: Channel, { storage, isNamed }: Draining): Promise<boolean> {
  const left = await leftOf(storage, upgradeId, notifier.name);
  if (left !== "unknown") return left === "something";
  // One that has ended unknown to a notifier is history, unless somebody names it.
  return isNamed || !isFinalUpgradeStatus((await readUpgrade(storage, upgradeId)).state.status);
}

async function drainOne(upgradeId: string, channel: Channel, draining: Draining): Promise<Drained> {
  const { cli, storage, logger, deadline } = draining;
  const { name } = channel.notifier;
  const before = await reportOf(storage, upgradeId, name);
  const beganAt = new Date(cli.clock.now()).toISOString();
  const clock = deliveryClock(cli.clock);
  const delivery = new Delivery({ ...channel, storage, upgradeId, clock, logger, isEager: true });
  delivery.start();
  const isDrained = await delivery.drain(Math.max(1, deadline - cli.clock.monotonic()));
  const { state } = delivery.status;
  await delivery.close();
  const after = await reportOf(storage, upgradeId, name);
  const notes = parseNotes(await storage.deliveries(upgradeId).readSent(name));
  const left = reasonOf(state, isDrained, after);
  return {
    ...{ upgradeId, notifier: name },
    sent: notes.filter(({ at, outcome }) => at >= beganAt && outcome === "delivered").length,
    deadLetters: Math.max(0, (after?.deadLetters ?? 0) - (before?.deadLetters ?? 0)),
    ...(left !== undefined && { left }),
  };
}

async function reportOf(storage: Storage, upgradeId: string, name: string): Promise<DeliveryReport | undefined> {
  return (await deliveryReports(storage.deliveries(upgradeId))).find(({ notifier }) => notifier === name);
}

function reasonOf(
  state: Delivery["status"]["state"],
  isDrained: boolean,
  report: DeliveryReport | undefined,
): string | undefined {
  if (state === "standby") return "another process tells it now";
  if (state === "unusable") return `it cannot be told: ${report?.check?.message ?? "see the warning"}`;
  if (state === "in_trouble") return "the log or the record cannot be used; see the warning";
  const [first] = report?.waiting ?? [];
  if (first !== undefined) {
    const count = report?.waiting.length ?? 1;
    return `${count === 1 ? "events of one task wait" : `events of ${count} tasks wait`}, from event ${first.seq} on: ${first.reason ?? "next of its task"}`;
  }
  return isDrained ? undefined : `the time ran out at event ${report?.seq ?? 0}`;
}

function tell(cli: Cli, found: readonly Drained[], options: DrainOptions): void {
  if (options.json === true) {
    sayJson(cli, { drained: found }, 2);
    return;
  }
  const lines = found.map(({ upgradeId, notifier, sent, deadLetters, left }) => {
    const dead = deadLetters === 0 ? "" : `, ${deadLetters} became dead letters`;
    return safeText(`${upgradeId}  ${notifier}: ${sent} sent${dead}${left === undefined ? "" : `; left: ${left}`}`);
  });
  if (options.quiet === true) sayLines(cli, []);
  else sayLines(cli, lines.length === 0 ? ["nothing is left to tell"] : lines);
}
