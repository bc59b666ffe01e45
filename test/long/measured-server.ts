/** `milepost start` in a process of its own, which can be asked how it fares. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import type { Fare } from "./measured.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
const MEASURED = new URL("measured.ts", import.meta.url).href;

export interface MeasuredServer {
  readonly port: number;
  /** Since it was last asked. */
  fare(): Promise<Fare>;
  kill(): void;
}

export async function measuredServer(folder: string): Promise<MeasuredServer> {
  const server = ["start", "--port", "0", "--json", "--storage-path", folder];
  const child: ChildProcess = spawn(
    process.execPath,
    ["--conditions=milepost-source", "--import", MEASURED, MAIN, ...server],
    { stdio: ["ignore", "pipe", "inherit", "ipc"] },
  );
  const port = await portSaid(child);
  return {
    port,
    fare: async () => {
      child.send("fare");
      return ((await once(child, "message")) as [Fare])[0];
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

async function portSaid({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error("the server has no output");
  for await (const line of createInterface(stdout)) {
    const port = /"port":(\d+)/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error("the server ended without saying its port");
}
