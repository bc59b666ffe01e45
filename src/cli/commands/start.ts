/** `milepost start`: serves every upgrade of a storage, live and as an API, until it is told to stop. */

import { Option, type Command } from "commander";

import { MilepostError, shown } from "../../errors.ts";
import { DEFAULT_STORAGE_PATH } from "../../open-storage.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Logger } from "../../tracker/logger.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { withConfig, type ConfigOptions } from "../config.ts";
import type { Cli, CommonOptions } from "../context.ts";
import { say } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { REHEARSAL_ID } from "../rehearsal/rehearsal.ts";
import { listOption, portOption, speedOption } from "../option-values.ts";
import { prepareSending, type Sending } from "../sending.ts";
import { storageOf } from "../storage.ts";
import { leaveOn, type Leave } from "../terminal.ts";
import { whyNotWritable } from "../writable.ts";

interface Options extends CommonOptions, ConfigOptions {
  readonly host: string;
  readonly port: number;
  readonly authFile?: string;
  readonly allowHost: readonly string[];
  readonly allowOrigin: readonly string[];
  readonly allowUnauthenticated?: boolean;
  readonly demo?: boolean;
  readonly speed: number;
}

/** An orderly stop takes no longer; then the process ends as it is, which loses nothing that was acknowledged. */
const STOP_TIMEOUT_MS = 10_000;
/** By then notifiers are told no more, so that what was told can be noted. */
const DRAINED_MS = 8_000;

export function addStart(program: Command, cli: Cli): void {
  withConfig(program.command("start"))
    .description("serve the upgrades of the storage: dashboard, WebSocket, event streams, HTTP API, all on one port")
    .option("--host <address>", "where to listen; others than this machine's need --auth-file", "127.0.0.1")
    .addOption(new Option("--port <number>", "the port; 0 takes any free one").argParser(portOption).default(8765))
    .option("--auth-file <file>", "who may do what; without it everybody on this machine may do everything")
    .option("--allow-host <name>", "a name that requests may give this server; may be repeated", listOption, [])
    .option("--allow-origin <origin>", "a page of another site that may use it; may be repeated", listOption, [])
    .option("--allow-unauthenticated", "let others than this machine report here without saying who they are")
    .option("--demo", "rehearse an upgrade all the time, so that there is something to see")
    .option("--speed <times>", "how many times as fast as a real upgrade the rehearsal is", speedOption, 60)
    .action((_options, command: Command) => start(cli, command.optsWithGlobals<Options>()));
}

async function start(cli: Cli, options: Options): Promise<void> {
  const storage = storageOf(options);
  const logger = loggerOf(cli, options);
  const send = await prepareSending(cli, options, { storage, logger });
  // Loaded only here: no other verb needs a server.
  const { createStorageServer } = await import("../../server/storage-server.ts");
  const server = createStorageServer({
    storage,
    host: options.host,
    port: options.port,
    auth: await authOf(options, cli),
    allowedHosts: options.allowHost,
    allowedOrigins: options.allowOrigin,
    allowUnauthenticated: options.allowUnauthenticated ?? false,
    clock: cli.clock,
    logger,
  });
  const leave = leaveOn(cli);
  let sending: Sending | undefined;
  try {
    const place = await server.listen().catch((error: unknown) => {
      throw sayingWhere(error, options);
    });
    sayWhere(cli, options, { ...place, storage });
    const unwritable = whyNotWritable(storage);
    if (unwritable !== undefined) logger.warn(unwritable);
    sending = send?.();
    await Promise.race([left(leave), ...(options.demo === true ? [rehearsal(storage, options, leave)] : [])]);
  } finally {
    // From here on a second signal has its usual effect: the process ends at once.
    leave.close();
    const until = performance.now() + DRAINED_MS;
    // What the server stores at its end is told, too.
    await inTime(server.close().then(() => sending?.close(Math.max(0, until - performance.now()))));
    await storage.close();
  }
}

async function authOf({ authFile }: Options, { env }: Cli) {
  if (authFile === undefined) return undefined;
  const { readAuthConfig } = await import("../../server/auth/auth-config.ts");
  return readAuthConfig(authFile, env);
}

/** Ends when it is left, and fails when it fails; it does not end by itself. */
async function rehearsal(storage: Storage, { speed }: Options, { signal }: Leave): Promise<void> {
  const { rehearseRepeatedly } = await import("../rehearsal/repeat.ts");
  await rehearseRepeatedly({ storage, speed, signal });
}

const left = ({ signal }: Leave): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

async function inTime(closing: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => process.exit(1), STOP_TIMEOUT_MS);
  try {
    await closing;
  } finally {
    clearTimeout(timer);
  }
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly storage: Storage;
}

function sayWhere(cli: Cli, options: Options, { host, port, storage }: Place): void {
  const { json, quiet, demo } = options;
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const [url, webSocketUrl] = [`http://${authority}`, `ws://${authority}`];
  if (json === true) {
    sayJson(cli, { url, webSocketUrl, host, port, storage: storage.location });
    return;
  }
  if (quiet === true) return;
  const lines = [
    `Dashboard: ${url}`,
    `Milepost serves the upgrades of ${safeText(storage.location)}. For programs:`,
    `  ${url}/api/v1/upgrades`,
    `  ${webSocketUrl}`,
    ...(demo === true ? rehearsalLines(options) : []),
    "Ctrl-C stops it.",
  ];
  say(cli, `${lines.join("\n")}\n`);
}

function rehearsalLines({ storage, storagePath }: Options): readonly string[] {
  const where =
    storage !== undefined
      ? ` --storage ${safeText(storage)}`
      : storagePath === DEFAULT_STORAGE_PATH
        ? ""
        : ` --storage-path ${safeText(storagePath)}`;
  return [
    "A rehearsal runs here again and again: no cluster is touched, all that it reports is made up. In another terminal:",
    `  milepost watch ${REHEARSAL_ID}${where}`,
  ];
}

/** The system's error for a place where nothing can listen, with what to do. */
function sayingWhere(error: unknown, { host, port }: Options): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== "listen" && code !== "ENOTFOUND" && code !== "EAI_AGAIN") return error;
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program listens there: stop it, or pass another --port",
    EACCES: "this user may not listen there: pass a --port above 1023",
    EADDRNOTAVAIL: "this machine has no such address: pass another --host",
  };
  const remedy = remedies[code ?? ""] ?? "pass another --host or --port";
  return new MilepostError("INVALID_ARGUMENT", `cannot listen on ${shown(host)}, port ${port} (${code}): ${remedy}`, {
    cause: error,
  });
}

/** What the server has to say of itself, on standard error. */
function loggerOf(cli: Cli, { quiet }: Options): Logger {
  const tell = (message: string): void => void cli.stderr.write(`milepost: ${safeText(message)}\n`);
  return { info: quiet === true ? () => undefined : tell, warn: tell, error: tell };
}
