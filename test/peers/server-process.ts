/** `milepost start` as a process of its own, which may be killed at any moment and comes back on the same port. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface ServerProcess {
  readonly port: number;
  /** As `http://127.0.0.1:8765`. */
  readonly url: string;
  /** As `ws://127.0.0.1:8765`. */
  readonly webSocketUrl: string;
  /** Without a word to anybody. */
  kill(): Promise<void>;
  /** On the same port as before. */
  startAgain(): Promise<void>;
  /** An orderly stop; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface ServerProcessOptions {
  readonly storagePath: string;
  /** Further options of `milepost start`. */
  readonly options?: readonly string[];
}

/** A server that is gone when the present test has ended. */
export async function serverProcess({ storagePath, options = [] }: ServerProcessOptions): Promise<ServerProcess> {
  const start = (port: number) => started(["--json", "--storage-path", storagePath, "--port", `${port}`, ...options]);
  let current = await start(0);
  const { port } = current;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const { child } = current;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  };
  onTestFinished(() => void current.child.kill("SIGKILL"));
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    webSocketUrl: `ws://127.0.0.1:${port}`,
    kill: async () => void (await end("SIGKILL")),
    startAgain: async () => void (current = await start(port)),
    stop: () => end("SIGTERM"),
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Resolves when it listens, which it says itself. */
async function started(options: readonly string[]): Promise<Started> {
  const child = spawn(process.execPath, ["--conditions=milepost-source", MAIN, "start", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface(child.stdout)) {
    const { port } = JSON.parse(line) as { readonly port: number };
    return { child, port };
  }
  throw new Error(`milepost start did not start; what it said is above`);
}
