/** Mail, by SMTP or by Amazon SES: one for an event, or for several that are told together. */

import { MilepostError, shown } from "../errors.ts";
import { silentLogger, type Logger } from "../tracker/logger.ts";
import { readAddress } from "./email/address.ts";
import { mailOf } from "./email/mail.ts";
import type { Post } from "./email/post.ts";
import { ses, type SesSettings } from "./email/ses.ts";
import { SmtpPost } from "./email/smtp.ts";
import type { MailTransport } from "./email/smtp-server.ts";
import type { Notifier } from "./notifier.ts";

export interface EmailOptions {
  /** `milepost@example.com` or `Milepost <milepost@example.com>`. */
  readonly from: string;
  /** One address or several. */
  readonly to: string | readonly string[];
  /** `smtps://user:password@host:465`, `smtp://…` for a server with STARTTLS, or a nodemailer transport of yours. This or `ses`. */
  readonly smtp?: string | MailTransport;
  readonly ses?: SesSettings;
  /** Where people reach the dashboard; mails then have a link to the upgrade. */
  readonly baseUrl?: string;
  /** Default `email`. Its own among all notifiers. */
  readonly name?: string;
  readonly logger?: Logger;
}

const LIMITS = { maxEvents: 50, maxBytes: 1_000_000 } as const;
const MAX_RECIPIENTS = 50;

/** @throws INVALID_ARGUMENT naming the option. */
export function email(options: EmailOptions): Notifier {
  const { name = "email", baseUrl, logger = silentLogger } = options;
  const post = postOf(options, logger);
  const envelope = { from: readAddress(options.from, "from"), to: recipients(options.to) };
  if (baseUrl !== undefined) checkBaseUrl(baseUrl);
  return {
    name,
    kind: "email",
    limits: LIMITS,
    async notify(batch, { signal }) {
      if (batch.events.length === 0) return [];
      const outcome = await post.send(mailOf(batch, baseUrl), envelope, signal);
      return batch.events.map(() => outcome);
    },
    check: ({ signal }) => post.check(signal),
    close: async () => post.close(),
  };
}

function postOf({ smtp: server, ses: settings }: EmailOptions, logger: Logger): Post {
  if ((server === undefined) === (settings === undefined)) {
    throw new MilepostError("INVALID_ARGUMENT", "email needs smtp or ses, and not both: they say how mails go out");
  }
  return server === undefined ? ses(settings as SesSettings, logger) : new SmtpPost(server, logger);
}

function recipients(to: unknown): readonly ReturnType<typeof readAddress>[] {
  const list: readonly unknown[] = Array.isArray(to) ? to : [to];
  if (list.length === 0 || list.length > MAX_RECIPIENTS) {
    throw new MilepostError("INVALID_ARGUMENT", `to must name 1 to ${MAX_RECIPIENTS} addresses, not ${list.length}`);
  }
  return list.map((one) => readAddress(one, "to"));
}

function checkBaseUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ["https:", "http:"].includes(url.protocol)) return;
  throw new MilepostError("INVALID_ARGUMENT", `baseUrl must be an http or https URL, not ${shown(text)}`);
}
