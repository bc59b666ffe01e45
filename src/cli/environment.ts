/** Options from the environment: `--storage-path` is also `MILEPOST_STORAGE_PATH`, and so on for every option. */

import type { Command, Option } from "commander";
import { MilepostError, shown } from "../errors.ts";

const TRUE = new Set(["1", "true", "yes", "on"]);
const FALSE = new Set(["0", "false", "no", "off"]);

/** Options whose variable does not have their name. Not commander's `Option.env`: that takes an empty variable for a value. */
const OWN_VARIABLES = new WeakMap<Option, string>();

/** The option, read from a variable of another name than its own. */
export function readsVariable(option: Option, variable: string): Option {
  OWN_VARIABLES.set(option, variable);
  return option;
}

/** The environment variable of an option. */
export function variableOf(option: Option): string {
  return (
    OWN_VARIABLES.get(option) ?? `MILEPOST_${option.name().replace(/^no-/, "").replaceAll("-", "_").toUpperCase()}`
  );
}

/**
 * Gives every option of `command` and its parents that was not on the command line its value from the environment. An empty
 * variable counts as not set.
 *
 * @throws INVALID_ARGUMENT naming the variable.
 */
export function applyEnvironment(command: Command, env: Readonly<Record<string, string | undefined>>): void {
  for (let owner: Command | null = command; owner !== null; owner = owner.parent) {
    for (const option of owner.options) {
      const name = option.attributeName();
      const value = env[variableOf(option)];
      const source = owner.getOptionValueSource(name);
      if (value === undefined || value === "" || (source !== undefined && source !== "default")) continue;
      owner.setOptionValueWithSource(name, parsed(option, value), "env");
    }
  }
}

/** What an error calls the value of an option: the option as on the command line, or the variable that it came from. */
export function givenAs(command: Command, long: string): string {
  for (let owner: Command | null = command; owner !== null; owner = owner.parent) {
    const option = owner.options.find((candidate) => candidate.long === long);
    if (option !== undefined && owner.getOptionValueSource(option.attributeName()) === "env") return variableOf(option);
  }
  return long;
}

function parsed(option: Option, value: string): unknown {
  try {
    if (option.required || option.optional) return option.parseArg ? option.parseArg(value, undefined) : value;
  } catch (error) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `${variableOf(option)}: ${(error as Error).message.replace(/\.$/, "")}`,
      { cause: error },
    );
  }
  const word = value.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new MilepostError("INVALID_ARGUMENT", `${variableOf(option)} must be 1 or 0, not ${shown(value)}`);
}
