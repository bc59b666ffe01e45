/** Packages that only some features need: loaded when they are, with an error that names what to install. */

import { createRequire } from "node:module";

import { MilepostError } from "./errors.ts";

/**
 * What `load` imports.
 *
 * @param feature - what needs it, for the error.
 * @throws MISSING_PACKAGE naming the package.
 */
export async function loadPackage<T>(name: string, feature: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new MilepostError(
      "MISSING_PACKAGE",
      `${feature} needs the package ${name}, which cannot be loaded: npm install ${name}`,
      { context: { package: name }, cause: error },
    );
  }
}

/** True if the package can be found; nothing of it is run. */
export function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
