/** Reads the config file: checks it, finds its secrets, and makes its notifiers. No message shows a secret. */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import type { z } from "zod";

import { parseConfigJson } from "../../config-json.ts";
import { isMilepostError, MilepostError, shown } from "../../errors.ts";
import { DEFAULT_RULES, rulesRouter, type Rule } from "../../notify/rules.ts";
import { readPrivateFile } from "../../server/auth/private-file.ts";
import type { Logger } from "../../tracker/logger.ts";
import type { Cli } from "../context.ts";
import { makeNotifier, type ConfiguredNotifier } from "./make-notifier.ts";
import { CONFIG, SECRET_FIELDS, type ConfigFile, type Elsewhere } from "./schema.ts";

/** What a config file says. */
export interface Config {
  readonly path: string;
  readonly notifiers: readonly ConfiguredNotifier[];
  readonly rules: readonly Rule[];
}

/** @throws INVALID_ARGUMENT naming the file, the field, the value (unless it may be a secret) and what to do. */
export async function readConfig(
  path: string,
  { env, clock }: Pick<Cli, "env" | "clock">,
  logger: Logger,
): Promise<Config> {
  const { notifiers: entries = {}, rules: given } = parsed(path);
  // What is left out is absent, not undefined.
  const rules = given === undefined ? DEFAULT_RULES : (given as readonly Rule[]);
  const notifiers: ConfiguredNotifier[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const field = `notifiers.${name}`;
    const find = (value: Elsewhere, of: string): string => textOf(value, { path, field: `${field}.${of}`, env });
    notifiers.push(await naming(`${shown(path)}: ${field}`, () => makeNotifier(name, entry, { find, clock, logger })));
  }
  checkRules(path, rules, Object.keys(entries));
  return { path, notifiers, rules };
}

/** Puts the place before what is wrong. */
async function naming<T>(place: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isMilepostError(error, "INVALID_ARGUMENT") || error.message.startsWith(place)) throw error;
    throw invalid(`${place}: ${error.message}`);
  }
}

function checkRules(path: string, rules: readonly Rule[], names: readonly string[]): void {
  for (const [index, rule] of rules.entries()) {
    const unknown = rule.to?.find((name) => !names.includes(name));
    if (unknown === undefined) continue;
    const known = names.length === 0 ? "there are none" : `there are ${names.join(", ")}`;
    throw invalid(`${shown(path)}: rules[${index}].to names no notifier of this file with ${shown(unknown)}; ${known}`);
  }
  for (const name of names) {
    try {
      rulesRouter(rules, name);
    } catch (error) {
      throw isMilepostError(error, "INVALID_ARGUMENT") ? invalid(`${shown(path)}: rules: ${error.message}`) : error;
    }
  }
}

interface Place {
  readonly path: string;
  readonly field: string;
  readonly env: Cli["env"];
}

function textOf(value: Elsewhere, { path, field, env }: Place): string {
  if (typeof value === "string") return value;
  const at = `${shown(path)}: ${field}`;
  if ("env" in value) {
    const text = env[value.env];
    if (text !== undefined && text !== "") return text;
    throw invalid(`${at} is to be in the variable ${shown(value.env)} of the environment, which is not set; set it`);
  }
  const file = resolve(dirname(path), value.file);
  let text: string | undefined;
  try {
    text = readPrivateFile(file);
  } catch (error) {
    const why = isMilepostError(error) ? error.message : `${shown(file)} cannot be read (${codeOf(error)})`;
    throw invalid(`${at}: ${why}`);
  }
  if (text === undefined) throw invalid(`${at}: there is no file ${shown(file)}; make it, or correct the path`);
  if (text.trim() === "") throw invalid(`${at}: ${shown(file)} is empty; write the secret into it`);
  return text.trim();
}

function parsed(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw invalid(`the config file ${shown(path)} cannot be read (${codeOf(error)}); check its path and permissions`);
  }
  const json = parseConfigJson(path, text);
  const result = CONFIG.safeParse(json);
  if (result.success) return result.data;
  const faults = result.error.issues.slice(0, 5).map((issue) => faultOf(issue, json));
  throw invalid(`${shown(path)}: ${faults.join("; ")}`);
}

function faultOf(issue: z.core.$ZodIssue, json: unknown): string {
  const field = issue.path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`),
    "",
  );
  const name = field === "" ? "it" : field;
  if (issue.code === "unrecognized_keys") {
    const key = shown(issue.keys[0]);
    return `${name} has the field ${key}, which means nothing here; docs/notifications.md lists those that do`;
  }
  if (issue.code === "invalid_key") return `${name} ${issue.issues[0]?.message ?? issue.message}`;
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], json);
  const isHidden = issue.code === "custom" && typeof value === "object";
  const isSecret = issue.path.some((key) => SECRET_FIELDS.has(key));
  return `${name} ${issue.message}${isSecret || isHidden ? "" : `, not ${shown(value)}`}`;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "unknown error";

const invalid = (message: string): MilepostError => new MilepostError("INVALID_ARGUMENT", message);
