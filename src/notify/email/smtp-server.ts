/** The SMTP server that a setting names, and the connection to it by nodemailer. */

import { MilepostError } from "../../errors.ts";
import { loadPackage } from "../../optional-package.ts";

/** The part of a nodemailer transport that is called. */
export interface MailTransport {
  sendMail(mail: object): Promise<SentMail>;
  verify(): Promise<unknown>;
  close(): void;
}

/** What came of a mail. */
export interface SentMail {
  readonly response?: string | undefined;
  readonly rejected?: readonly unknown[] | undefined;
  readonly rejectedErrors?: readonly unknown[] | undefined;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly user: string;
  readonly password: string;
}

/** @throws INVALID_ARGUMENT, in which the text is never shown: a password may stand in it. */
export function readSmtpUrl(text: string): SmtpSettings {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const [user, password] = [url?.username, url?.password].map((part = "") => decoded(part));
  if (
    url === undefined ||
    !/^smtps?:$/.test(url.protocol) ||
    url.hostname === "" ||
    user === undefined ||
    password === undefined
  ) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "smtp must be a URL such as smtps://user:password@mail.example.com:465, or smtp:// for a server with STARTTLS",
    );
  }
  const secure = url.protocol === "smtps:";
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    user,
    password,
  };
}

/** Undefined where a percent sign stands for itself, which a URL does not have. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** @throws MISSING_PACKAGE. */
export async function openTransport({ host, port, secure, user, password }: SmtpSettings): Promise<MailTransport> {
  const { createTransport } = await loadPackage("nodemailer", "Email by SMTP", () => import("nodemailer"));
  const isLocal = host === "localhost" || host === "::1" || host.startsWith("127.");
  return createTransport({
    host,
    port,
    secure,
    // A password goes over no network in the clear.
    requireTLS: user !== "" && !isLocal,
    ...(user !== "" && { auth: { user, pass: password } }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
  });
}

/** Takes name and password out of a text, also as they go over the wire. */
export function hider(settings: SmtpSettings | undefined): (text: string) => string {
  const { user = "", password = "" } = settings ?? {};
  if (password === "") return (text) => text;
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const secrets = [password, base64(password), base64(`\u0000${user}\u0000${password}`)];
  return (text) => secrets.reduce((left, secret) => left.replaceAll(secret, "[secret]"), text);
}
