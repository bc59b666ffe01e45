/**
 * The local socket by which other processes hand commands to the one that holds an upgrade (DESIGN 6).
 *
 * One request and one answer per connection, each a JSON line:
 *   {"commands":[…]}            what `checkCommand` takes, executed in order up to the first that is refused
 *   {"events":[…],"error"?:{"code":…,"message":…,"context":{}}}
 * The answer comes after a flush, so what it says survives a power cut. Who may connect is who may enter the folder (0700).
 */

import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isMilepostError, MilepostError } from "../errors.ts";
import type { ProgressEvent } from "../model/event.ts";
import { textOf } from "./logger.ts";

const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Unix socket addresses end at 108 bytes, some systems at 104. */
const MAX_ADDRESS_BYTES = 100;
const IDLE_TIMEOUT_MS = 15_000;

/** What the socket hands over to. */
export interface CommandReceiver {
  execute(command: unknown): ProgressEvent;
  flush(): Promise<void>;
}

export interface CommandSocket {
  readonly address: string;
  close(): void;
}

export interface SocketAnswer {
  readonly events: readonly ProgressEvent[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly context?: Readonly<Record<string, unknown>>;
  };
}

/** An address for the socket: in the log's own folder, or in one of the user's own below the temporary folder. */
export function socketAddress(folder: string | undefined, name: string): string {
  const hash = createHash("sha256")
    .update(`${folder ?? ""}\n${name}`)
    .digest("hex")
    .slice(0, 24);
  if (process.platform === "win32") return `\\\\.\\pipe\\milepost-${hash}`;
  if (folder !== undefined && Buffer.byteLength(folder) + "/commands.sock".length <= MAX_ADDRESS_BYTES)
    return join(folder, "commands.sock");
  const own = join(tmpdir(), `milepost-${process.getuid?.() ?? 0}`);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  return join(own, `${hash}.sock`);
}

/** Listens; resolves once it does. The socket does not keep the process alive. */
export async function listenForCommands(address: string, receiver: CommandReceiver): Promise<CommandSocket> {
  // Whoever left a socket file here is dead: the lock is ours.
  if (process.platform !== "win32") rmSync(address, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy()).unref();
    receive(socket, receiver);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(address, resolve));
  server.unref();
  return {
    address,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroySoon();
    },
  };
}

function receive(socket: Socket, receiver: CommandReceiver): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (piece: string) => {
    text += piece;
    if (text.length > MAX_REQUEST_BYTES) socket.destroy();
    if (!text.includes("\n")) return;
    const request = text;
    text = "";
    void answer(request, receiver).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
  });
}

async function answer(request: string, receiver: CommandReceiver): Promise<SocketAnswer> {
  const events: ProgressEvent[] = [];
  try {
    for (const command of commandsIn(request)) events.push(receiver.execute(command));
    await receiver.flush();
    return { events };
  } catch (error) {
    if (isMilepostError(error))
      return { events, error: { code: error.code, message: error.message, context: plainContext(error) } };
    return { events, error: { code: "INVALID_ARGUMENT", message: textOf(error) } };
  }
}

function commandsIn(request: string): readonly unknown[] {
  const { commands } = JSON.parse(request) as { commands?: unknown };
  if (!Array.isArray(commands)) throw new MilepostError("INVALID_ARGUMENT", "a request must hold an array of commands");
  return commands;
}

function plainContext({ context }: MilepostError): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)),
  );
}
