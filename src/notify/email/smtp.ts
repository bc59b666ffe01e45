/** Mails by SMTP. A retry has the same Message-ID, and goes only to those whose server has not taken it yet. */

import { MilepostError } from "../../errors.ts";
import { report, textOf, type Logger } from "../../tracker/logger.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { Outcome } from "../notifier.ts";
import { domainOf, type Address } from "./address.ts";
import type { Mail } from "./mail.ts";
import { headersOf, type Envelope, type Post } from "./post.ts";
import {
  hider,
  openTransport,
  readSmtpUrl,
  type MailTransport,
  type SentMail,
  type SmtpSettings,
} from "./smtp-server.ts";

const MAX_MESSAGE = 400;
/** Login and TLS: people put these right, and the mail is good, so it waits. */
const SETTINGS: ReadonlySet<string> = new Set(["EAUTH", "ENOAUTH", "ETLS"]);
/** Mails of which some but not all recipients were reached; the oldest are forgotten. */
const MAX_REMEMBERED = 100;

/** Mails over one SMTP server. */
export class SmtpPost implements Post {
  readonly #given: MailTransport | undefined;
  readonly #settings: SmtpSettings | undefined;
  readonly #logger: Logger;
  readonly #hide: (text: string) => string;
  #own: Promise<MailTransport> | undefined;
  /** Who has a mail already of which others do not. */
  readonly #reached = new Map<string, ReadonlySet<string>>();
  #isTroubleSaid = false;

  /** @param server - a URL such as `smtps://user:password@host:465`, or a transport, which its owner closes. */
  constructor(server: string | MailTransport, logger: Logger) {
    if (typeof server === "string") this.#settings = readSmtpUrl(server);
    else this.#given = server;
    this.#logger = logger;
    this.#hide = hider(this.#settings);
  }

  async send(mail: Mail, envelope: Envelope, signal: AbortSignal): Promise<Outcome> {
    const reached = this.#reached.get(mail.key);
    const left = envelope.to.filter(({ address }) => reached?.has(address) !== true);
    const transport = await this.#transport();
    try {
      const sent = await untilAborted(transport.sendMail(messageOf(mail, envelope, left)), signal);
      return this.#settle(mail, left, sent);
    } catch (error) {
      return this.#tell(outcomeOfError(error, this.#hide));
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const transport = await this.#transport();
    try {
      await untilAborted(transport.verify(), signal);
    } catch (error) {
      const { code, message } = outcomeOfError(error, this.#hide);
      throw new MilepostError("NOTIFIER_UNUSABLE", `Email cannot be sent by SMTP: ${message}`, { context: { code } });
    }
  }

  close(): void {
    void this.#own?.then((transport) => transport.close()).catch(() => undefined);
    this.#own = undefined;
  }

  #transport(): Promise<MailTransport> {
    if (this.#given !== undefined) return Promise.resolve(this.#given);
    return (this.#own ??= openTransport(this.#settings as SmtpSettings).catch((error: unknown) => {
      // The package may be installed by the next time.
      this.#own = undefined;
      throw error;
    }));
  }

  #tell(outcome: Failure): Failure {
    if (SETTINGS.has(outcome.code) && !this.#isTroubleSaid) {
      this.#isTroubleSaid = true;
      report(this.#logger, "error", `Email: trouble with the login or the certificate of SMTP: ${outcome.message}`);
    }
    return outcome;
  }

  #settle(
    mail: Mail,
    to: readonly Address[],
    { response = "", rejected = [], rejectedErrors = [] }: SentMail,
  ): Outcome {
    this.#isTroubleSaid = false;
    const refused = new Set(rejected.map(String));
    const failures = rejectedErrors.map((error) => outcomeOfError(error, this.#hide));
    const worst = failures.find(({ status }) => status === "retry") ?? failures[0];
    if (refused.size === 0 || worst === undefined) {
      this.#reached.delete(mail.key);
      return { status: "delivered", answer: shortened(safeText(this.#hide(response))) };
    }
    const now = to.map(({ address }) => address).filter((address) => !refused.has(address));
    this.#reached.set(mail.key, new Set([...(this.#reached.get(mail.key) ?? []), ...now]));
    const [oldest] = this.#reached.keys();
    if (this.#reached.size > MAX_REMEMBERED && oldest !== undefined) this.#reached.delete(oldest);
    report(this.#logger, "warn", `Email: not taken for ${refused.size} of ${to.length} recipients: ${worst.message}`);
    return worst;
  }
}

function messageOf(mail: Mail, { from, to }: Envelope, left: readonly Address[]): object {
  const domain = domainOf(from);
  return {
    from,
    to,
    envelope: { from: from.address, to: left.map(({ address }) => address) },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: `<${mail.key}@${domain}>`,
    headers: headersOf(mail, domain),
    // What stands in a mail is text: never the name of a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

type Failure = Exclude<Outcome, { readonly status: "delivered" }>;

/** What nodemailer's errors carry. */
interface SmtpError {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly rejectedErrors?: readonly unknown[];
}

function outcomeOfError(error: unknown, hide: (text: string) => string): Failure {
  const { code, responseCode, rejectedErrors } = (
    typeof error === "object" && error !== null ? error : {}
  ) as SmtpError;
  const message = shortened(safeText(hide(textOf(error)))) || "no reason given";
  const name = typeof code === "string" ? code : "SMTP";
  if (SETTINGS.has(name)) return { status: "retry", code: name, message };
  const codes = [responseCode, ...(rejectedErrors ?? []).map((one) => (one as SmtpError).responseCode)];
  const isTemporary = codes.some((one) => typeof one === "number" && one >= 400 && one < 500);
  const isFinal = codes.some((one) => typeof one === "number" && one >= 500) || name === "EMESSAGE";
  const answered = codes.find((one) => typeof one === "number");
  const shownCode = answered === undefined ? name : `SMTP_${answered}`;
  return { status: isFinal && !isTemporary ? "refused" : "retry", code: shownCode, message };
}

function shortened(text: string): string {
  return text.slice(0, MAX_MESSAGE).toWellFormed();
}

/** Mail cannot be called back: what is under way goes on, but nobody waits for it any longer. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new MilepostError("TIMEOUT", "the time for it was up"));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
