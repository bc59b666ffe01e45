/**
 * The local socket by which other processes hand commands to the one that holds an upgrade.
 *
 * One request and one answer per connection, each a JSON line:
 *   {"commands":[…]}            what `checkCommand` takes, executed in order up to the first that is refused
 *   {"events":[…],"error"?:{"code":…,"message":…,"context":{}}}
 * The answer comes after a flush, so what it says survives a power cut. Who may connect is who may enter the folder (0700).
 */

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { isMilepostError, MilepostError } from "../errors.ts";
import { checkObject } from "../model/check.ts";
import type { ProgressEvent } from "../model/event.ts";
import { checkFields } from "../model/known-fields.ts";
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
  /** Takes no more; resolves when what was already asked is answered. */
  close(): Promise<void>;
}

export interface SocketAnswer {
  readonly events: readonly ProgressEvent[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly context?: Readonly<Record<string, unknown>>;
  };
}

/**
 * An address for a socket: in the log's own folder, or in one of the user's own below the temporary folder. Each is new: a
 * holder that was displaced removes its own socket when it closes, and must not take its successor's along.
 */
export function socketAddress(folder: string | undefined, name: string): string {
  const own = randomBytes(4).toString("hex");
  if (folder !== undefined && process.platform !== "win32") {
    const address = join(folder, `commands.${own}.sock`);
    if (Buffer.byteLength(address) <= MAX_ADDRESS_BYTES) return address;
  }
  const hash = createHash("sha256")
    .update(`${folder ?? ""}\n${name}`)
    .digest("hex")
    .slice(0, 24);
  if (process.platform === "win32") return `\\\\.\\pipe\\milepost-${hash}.${own}`;
  const directory = join(tmpdir(), `milepost-${process.getuid?.() ?? 0}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return join(directory, `${hash}.${own}.sock`);
}

/** Listens; resolves once it does. The socket does not keep the process alive. */
export async function listenForCommands(address: string, receiver: CommandReceiver): Promise<CommandSocket> {
  if (process.platform !== "win32") removeOthers(address);
  const sockets = new Set<Socket>();
  const answers = new Set<Promise<void>>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy()).unref();
    receive(socket, (request) => {
      const answered = answer(request, receiver).then((reply) => void socket.end(`${JSON.stringify(reply)}\n`));
      answers.add(answered);
      void answered.finally(() => answers.delete(answered));
    });
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(address, resolve));
  server.unref();
  return {
    address,
    close: async () => {
      server.close();
      await Promise.all(answers);
      for (const socket of sockets) socket.destroySoon();
    },
  };
}

/** Whoever left a socket here is dead or displaced: the lock is ours. */
function removeOthers(address: string): void {
  const [prefix] = address.slice(dirname(address).length + 1).split(".");
  for (const name of readdirSync(dirname(address)))
    if (name.startsWith(`${prefix}.`) && name.endsWith(".sock")) rmSync(join(dirname(address), name), { force: true });
}

function receive(socket: Socket, take: (request: string) => void): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (piece: string) => {
    text += piece;
    if (text.length > MAX_REQUEST_BYTES) socket.destroy();
    if (!text.includes("\n")) return;
    const request = text;
    text = "";
    take(request);
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

const REQUEST: ReadonlySet<string> = new Set(["commands"]);

function commandsIn(request: string): readonly unknown[] {
  const fields = checkObject(JSON.parse(request), "a request");
  checkFields(fields, REQUEST, "a request");
  const { commands } = fields;
  if (!Array.isArray(commands)) throw new MilepostError("INVALID_ARGUMENT", "a request must hold an array of commands");
  return commands;
}

function plainContext({ context }: MilepostError): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)),
  );
}
