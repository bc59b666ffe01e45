/** Processes of their own for tests: started from the sources, ended with the test. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { onTestFinished } from "vitest";

/** A process that holds the upgrade u1 of the storage in a folder. Resolves once it does. */
export async function holder(folder: string): Promise<ChildProcess> {
  const child = nodeProcess(new URL("holder-child.ts", import.meta.url), folder);
  await said(child, "holds");
  return child;
}

/** A server of the command line, on a free port. */
export async function serverProcess(folder: string): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const main = new URL("../../../src/cli/main.ts", import.meta.url);
  const child = nodeProcess(main, "start", "--port", "0", "--json", "--storage-path", folder);
  return { child, port: Number(/"port":(\d+)/.exec(await said(child, '"port":'))?.[1]) };
}

function nodeProcess(script: URL, ...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ["--conditions=milepost-source", fileURLToPath(script), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  });
  return child;
}

async function said(child: ChildProcess, what: string): Promise<string> {
  let text = "";
  for await (const piece of child.stdout ?? []) {
    text += String(piece);
    if (text.includes(what) && text.includes("\n")) return text;
  }
  throw new Error(`it ended without saying ${what}: ${text}`);
}
