/** The Python programs that these tests talk to, installed once into folders of their own. */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const run = promisify(execFile);
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/milepost-peers", import.meta.url));
const QUIET = ["install", "--quiet", "--disable-pip-version-check"];

/** The folder of the programs of a list for Python 3. @throws when Python 3 with venv is not there, naming the remedy. */
export function pythonPrograms(list = "requirements.txt"): Promise<string> {
  return installed(list, async (folder, requirements) => {
    await run("python3", ["-m", "venv", folder]).catch((error: unknown) => {
      throw new Error("these tests need Python 3 with venv (Debian: apt-get install python3-venv)", { cause: error });
    });
    await run(join(folder, "bin", "pip"), [...QUIET, "-r", requirements]);
  }).then((folder) => join(folder, "bin"));
}

/** A Python 2.7, and where its packages are; undefined where there is none. */
export interface Python2 {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
}

/** What runs the conformance suite, which is written for Python 2. */
export async function python2Program(): Promise<Python2 | undefined> {
  const python = await findPython2();
  if (python === undefined) return undefined;
  const folder = await installed("requirements-python2.txt", async (target, requirements) => {
    await run(python.command, ["-m", "pip", ...QUIET, "--target", target, "-r", requirements], { env: python.env });
  });
  return { ...python, folder };
}

async function findPython2(): Promise<Omit<Python2, "folder"> | undefined> {
  // Where several Pythons are kept side by side, this variable names the one that is meant.
  const env = { ...process.env, PYENV_VERSION: "2.7.18" };
  for (const command of ["python2.7", "python2"]) {
    const found = await run(command, ["-c", "import sys, pip; print(sys.version_info[1])"], { env }).catch(
      () => undefined,
    );
    if (found?.stdout.trim() === "7") return { command, env };
  }
  return undefined;
}

/** A folder in which `install` has put what a list of requirements names; made anew when the list has changed. */
async function installed(
  list: string,
  install: (folder: string, requirements: string) => Promise<void>,
): Promise<string> {
  const requirements = fileURLToPath(new URL(list, import.meta.url));
  const wanted = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  const folder = join(CACHE, list.replace(/[.]txt$/, ""));
  const stamp = join(folder, "installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await install(folder, requirements);
  writeFileSync(stamp, wanted);
  return folder;
}
