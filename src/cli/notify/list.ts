/** `milepost notify list`: who is configured, and where each notifier stands. */

import { deliveryReports, type DeliveryReport } from "../../notify/delivery/report.ts";
import type { Storage } from "../../storage/storage.ts";
import { silentLogger } from "../../tracker/logger.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { configOf, type Config } from "../config.ts";
import { sayLines, type Cli } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { storageOf } from "../storage.ts";
import { allUpgrades, openLog, type NotifyOptions } from "./parts.ts";

interface UpgradeReports {
  readonly upgradeId: string;
  readonly notifiers: readonly DeliveryReport[];
}

/** A notifier of the config file, over all upgrades that are listed. */
interface ConfiguredReport {
  readonly notifier: string;
  readonly kind: string;
  readonly target: string;
  readonly state: "not asked yet" | "ready" | "unusable" | "in trouble" | "stopped";
  readonly waiting: number;
  readonly deadLetters: number;
  readonly lastSent?: DeliveryReport["lastSent"];
  readonly lastError?: DeliveryReport["lastError"];
  readonly check?: DeliveryReport["check"];
}

export async function listNotifiers(cli: Cli, id: string | undefined, options: NotifyOptions): Promise<void> {
  const config = await configOf(options, cli, silentLogger);
  const storage = storageOf(options);
  if (id !== undefined) (await openLog(storage, id)).close();
  const upgrades = await reportsOf(storage, id === undefined ? await allUpgrades(storage) : [id]);
  const configured = config === undefined ? [] : configuredReports(config, upgrades);
  if (options.json === true) {
    sayJson(cli, { configured, upgrades }, 2);
    return;
  }
  const lines = upgrades.flatMap(({ upgradeId, notifiers }) => notifiers.map((each) => listLine(upgradeId, each)));
  const unnamed = config !== undefined && configured.length === 0 ? ["the config names no notifier"] : [];
  const none = lines.length === 0 ? ["no notifier was told anything yet"] : [];
  sayLines(cli, [...configured.map(configuredLine), ...unnamed, ...lines, ...none]);
}

async function reportsOf(storage: Storage, upgradeIds: readonly string[]): Promise<readonly UpgradeReports[]> {
  const found: UpgradeReports[] = [];
  for (const upgradeId of upgradeIds)
    found.push({ upgradeId, notifiers: await deliveryReports(storage.deliveries(upgradeId)) });
  return found;
}

function configuredReports(config: Config, upgrades: readonly UpgradeReports[]): readonly ConfiguredReport[] {
  return config.notifiers.map(({ notifier: { name, kind }, target }) => {
    const own = upgrades.flatMap(({ notifiers }) => notifiers.filter(({ notifier }) => notifier === name));
    const lastSent = newest(own.map((each) => each.lastSent));
    const lastError = newest(own.map((each) => each.lastError));
    const check = newest(own.map((each) => each.check));
    return {
      ...{ notifier: name, kind, target, state: stateOf(own, check) },
      waiting: own.reduce((sum, { waiting }) => sum + waiting.length, 0),
      deadLetters: own.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
      ...(lastSent !== undefined && { lastSent }),
      ...(lastError !== undefined && { lastError }),
      ...(check !== undefined && { check }),
    };
  });
}

function stateOf(own: readonly DeliveryReport[], check: DeliveryReport["check"]): ConfiguredReport["state"] {
  if (check?.message !== undefined) return "unusable";
  if (own.some(({ isCircuitOpen }) => isCircuitOpen)) return "in trouble";
  if (own.some(({ stopped }) => stopped !== undefined)) return "stopped";
  return check === undefined ? "not asked yet" : "ready";
}

function newest<T extends { readonly at: string }>(all: readonly (T | undefined)[]): T | undefined {
  return all.reduce(
    (best, each) => (each !== undefined && (best === undefined || each.at > best.at) ? each : best),
    undefined,
  );
}

function configuredLine(report: ConfiguredReport): string {
  const { notifier, kind, target, state, waiting, deadLetters, lastSent, lastError, check } = report;
  const parts = [
    `${notifier} (${kind}, ${target}): ${state}${check?.message === undefined ? "" : `: ${check.message}`}`,
    `${waiting} waiting`,
    `${deadLetters} dead letters`,
    ...(lastSent === undefined ? [] : [`last call ${lastSent.at} (${lastSent.outcome})`]),
    ...(lastError === undefined ? [] : [`last error ${lastError.at} (${lastError.code}: ${lastError.answer ?? ""})`]),
  ];
  return safeText(parts.join(", "));
}

function listLine(upgradeId: string, report: DeliveryReport): string {
  const { notifier, run, seq, waiting, repeats, deadLetters, lastSent, check, stopped, isCircuitOpen } = report;
  const place = seq === undefined ? "its record cannot be read" : `told up to event ${seq} of run ${run}`;
  const [first] = waiting;
  const parts = [
    `${upgradeId}  ${notifier}: ${place}`,
    `${waiting.length} waiting${first?.reason === undefined ? "" : ` (${first.reason})`}`,
    ...(repeats.length === 0 ? [] : [`${repeats.length} told again as long as it holds`]),
    `${deadLetters} dead letters`,
    ...(lastSent === undefined ? [] : [`last call ${lastSent.at} (${lastSent.outcome})`]),
    ...(check?.message === undefined ? [] : [`cannot be told: ${check.message}`]),
    ...(stopped === undefined ? [] : [`stopped at ${stopped.at} (${stopped.code}); a redrive sends again`]),
    ...(isCircuitOpen ? ["in trouble: nothing is sent for a while"] : []),
  ];
  return safeText(parts.join(", "));
}
