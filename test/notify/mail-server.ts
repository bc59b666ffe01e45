/** A real SMTP server on a free port, that answers as it is told to, and what came in, read back. */

import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { onTestFinished } from "vitest";

export interface ReceivedMail {
  readonly raw: string;
  readonly recipients: readonly string[];
  /** In order, names in lower case, folded lines joined. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  readonly html: string;
}

/** `drop`: the connection is cut once the whole mail has come. `hang`: no answer to it. */
export type MailReply = { readonly code: number; readonly message: string } | "drop" | "hang" | undefined;

export interface MailServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** What a client tried to log in with. */
  readonly logins: { readonly user: string; readonly password: string }[];
  onMail: () => MailReply;
  /** `drop`: nobody is let in. */
  onConnect: () => "drop" | undefined;
  onRecipient: (address: string) => MailReply;
  onLogin: () => MailReply;
}

type Done = (error?: Error | null, message?: string) => void;

/** Takes mail until the present test has ended. */
export async function mailServer(): Promise<MailServer> {
  const received: MailServer = {
    port: 0,
    mails: [],
    logins: [],
    onMail: () => undefined,
    onConnect: () => undefined,
    onRecipient: () => undefined,
    onLogin: () => undefined,
  };
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    onConnect({ id }, done) {
      if (received.onConnect() === undefined) return done();
      for (const { _socket, session } of connectionsOf(server)) if (session.id === id) _socket.destroy();
    },
    onAuth({ username, password }, _, done) {
      received.logins.push({ user: username ?? "", password: password ?? "" });
      done(errorOf(received.onLogin()), { user: username ?? "" });
    },
    onRcptTo({ address }, _, done) {
      done(errorOf(received.onRecipient(address)));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => take(chunks, session, done));
    },
  });
  function take(chunks: readonly Buffer[], session: SMTPServerSession, done: Done): void {
    received.mails.push(readMail(Buffer.concat(chunks).toString("latin1"), session));
    const reply = received.onMail();
    if (reply === "hang") return;
    if (reply !== "drop") done(errorOf(reply), "taken");
    else for (const { _socket } of connectionsOf(server)) _socket.destroy();
  }
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  onTestFinished(async () => {
    for (const { _socket } of connectionsOf(server)) _socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return Object.assign(received, { port: (server.server.address() as AddressInfo).port });
}

interface Connection {
  readonly _socket: Socket;
  readonly session: SMTPServerSession;
}
const connectionsOf = ({ connections }: SMTPServer) => connections as unknown as ReadonlySet<Connection>;

function errorOf(reply: MailReply): Error | null {
  if (reply === undefined || typeof reply === "string") return null;
  return Object.assign(new Error(reply.message), { responseCode: reply.code });
}

function readMail(raw: string, { envelope }: SMTPServerSession): ReceivedMail {
  const { headers, body } = split(raw);
  const boundary = /boundary="([^"]+)"/.exec(valueOf(headers, "content-type"))?.[1] ?? "";
  const parts = body.split(`--${boundary}`).map((part) => split(part.replace(/^\r\n/, "")));
  const part = (type: string): string => {
    const found = parts.find((one) => valueOf(one.headers, "content-type").startsWith(type));
    return found === undefined ? "" : decoded(found.body, valueOf(found.headers, "content-transfer-encoding"));
  };
  return {
    raw,
    recipients: envelope.rcptTo.map(({ address }) => address),
    headers,
    text: part("text/plain"),
    html: part("text/html"),
  };
}

function split(raw: string): Pick<ReceivedMail, "headers"> & { readonly body: string } {
  const end = raw.indexOf("\r\n\r\n");
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { headers, body: raw.slice(end + 4) };
}

/** The value of the first header of a name; empty if there is none. */
export function valueOf(headers: ReceivedMail["headers"], name: string): string {
  return headers.find(([one]) => one === name)?.[1] ?? "";
}

/** A header with its encoded words read. */
export function wordsOf(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
      kind.toLowerCase() === "b" ? Buffer.from(text, "base64").toString("latin1") : unquoted(text.replaceAll("_", " ")),
    )
    .replace(/[\u0080-\u00ff]+/g, (bytes) => Buffer.from(bytes, "latin1").toString());
}

function decoded(body: string, encoding: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString();
  const bytes = encoding === "quoted-printable" ? unquoted(body.replace(/=\r\n/g, "")) : body;
  return Buffer.from(bytes, "latin1").toString().replaceAll("\r\n", "\n");
}

function unquoted(text: string): string {
  return text.replace(/=([\dA-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
