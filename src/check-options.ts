/** Checks what a `ProgressTracker` is made from, before anything is opened. */

import { MilepostError, shown } from "./errors.ts";
import { checkCount, checkList, checkNewId, checkNumber, checkObject, checkUpgradeId } from "./model/check.ts";
import { checkFields } from "./model/known-fields.ts";

const YEAR_MS = 31_536_000_000;

const OPTIONS: ReadonlySet<string> = new Set([
  ...["upgradeId", "planId", "clusterName", "storagePath", "storage", "takeOver", "program"],
  ...["eventbridgeBusName", "awsRegion", "notifiers", "rules", "drainTimeoutMs", "enableWebsocket", "websocketPort"],
  ...["syncIntervalMs", "maxQueuedEvents", "snapshotEvery", "healthThresholds", "clock", "createId", "logger"],
]);

/** @throws INVALID_ID, INVALID_ARGUMENT naming the option, the value and what it should be. */
export function checkOptions(options: unknown): void {
  const given = checkObject(options, "options");
  checkFields(given, OPTIONS, "options");
  checkUpgradeId(checkNewId(given["upgradeId"], "upgradeId"));
  for (const name of ["planId", "clusterName"]) checkNewId(given[name], name);
  optional(given["storagePath"], (value) => checkText(value, "storagePath"));
  optional(given["storage"], checkStorage);
  optional(given["syncIntervalMs"], (value) => checkNumber(value, "syncIntervalMs", YEAR_MS));
  optional(given["maxQueuedEvents"], (value) => checkCount(value, "maxQueuedEvents", 1));
  optional(given["snapshotEvery"], (value) => checkCount(value, "snapshotEvery", 1));
  optional(given["websocketPort"], checkPort);
  for (const name of ["eventbridgeBusName", "awsRegion", "program"]) {
    optional(given[name], (value) => checkText(value, name));
  }
  optional(given["clock"], (value) => checkMethods(value, "clock", ["now", "monotonic"]));
  optional(given["logger"], (value) => checkMethods(value, "logger", ["info", "warn", "error"]));
  optional(given["notifiers"], checkNotifiers);
  optional(given["rules"], (value) => void checkList(value as readonly object[], "rules"));
  optional(given["drainTimeoutMs"], (value) => checkNumber(value, "drainTimeoutMs", YEAR_MS));
  optional(given["createId"], (value) => {
    if (typeof value !== "function") throw wrong("createId", "a function", value);
  });
  optional(given["healthThresholds"], (value) => {
    for (const [name, limit] of Object.entries(checkObject(value, "healthThresholds"))) {
      checkNumber(limit, `healthThresholds.${name}`, YEAR_MS);
    }
  });
}

function optional(value: unknown, check: (value: unknown) => void): void {
  if (value !== undefined) check(value);
}

function checkText(value: unknown, name: string): void {
  if (typeof value !== "string" || value === "") throw wrong(name, "text that is not empty", value);
}

function checkStorage(value: unknown): void {
  if (typeof value === "string") return;
  checkMethods(value, "storage", ["openWriter", "openReader", "list", "holder", "watch", "info", "deliveries"]);
}

const NOTIFIER_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Names are names of files; without limits nothing could be told, and that would show when the first event is. */
function checkNotifiers(value: unknown): void {
  const names = new Set<unknown>();
  for (const notifier of checkList(value as readonly object[], "notifiers")) {
    checkMethods(notifier, "notifiers", ["notify", "check", "close"]);
    const { name, limits } = notifier as { name?: unknown; limits?: unknown };
    if (typeof name !== "string" || !NOTIFIER_NAME.test(name) || names.has(name))
      throw wrong("notifiers[].name", "its own among them, of lower-case letters, digits and hyphens", name);
    names.add(name);
    const { maxEvents, maxBytes } = checkObject(limits, `notifiers[].limits of ${shown(name)}`);
    checkCount(maxEvents, `notifiers[].limits.maxEvents of ${shown(name)}`, 1);
    checkCount(maxBytes, `notifiers[].limits.maxBytes of ${shown(name)}`, 1);
  }
}

function checkPort(value: unknown): void {
  if (checkCount(value, "websocketPort", 0) > 65_535) throw wrong("websocketPort", "a port from 0 to 65535", value);
}

function checkMethods(value: unknown, name: string, methods: readonly string[]): void {
  const object = checkObject(value, name);
  const missing = methods.find((method) => typeof object[method] !== "function");
  if (missing !== undefined) throw wrong(name, `an object with the functions ${methods.join(", ")}`, value);
}

function wrong(name: string, wanted: string, value: unknown): MilepostError {
  return new MilepostError("INVALID_ARGUMENT", `${name} must be ${wanted}, not ${shown(value)}`);
}
