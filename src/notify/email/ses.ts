/** Mails by Amazon SES (version 2). It gives each a Message-ID of its own; `X-Milepost-Message` stays the same over retries. */

import type * as SesModule from "@aws-sdk/client-sesv2";

import { AwsConnection, type AwsClient, type AwsService } from "../../aws/connection.ts";
import { checkTrouble, outcomeOf } from "../../aws/outcome.ts";
import { MilepostError } from "../../errors.ts";
import { report, type Logger } from "../../tracker/logger.ts";
import { domainOf, headerText } from "./address.ts";
import { headersOf, type Post } from "./post.ts";

export interface SesSettings {
  /** Default us-east-1. */
  readonly awsRegion?: string;
  /** An `SESv2Client` of yours. Default: one that finds its credentials and its address as the SDK does. */
  readonly client?: AwsClient;
  readonly configurationSetName?: string;
}

type SesSdk = Pick<typeof SesModule, "SESv2Client" | "SendEmailCommand" | "GetAccountCommand">;

const SERVICE: AwsService<SesSdk> = {
  packageName: "@aws-sdk/client-sesv2",
  feature: "Email by SES",
  load: () => import("@aws-sdk/client-sesv2"),
  makeClient: ({ SESv2Client }, config) => new SESv2Client(config),
};

const utf8 = (text: string) => ({ Data: text, Charset: "UTF-8" });

export function ses({ awsRegion = "us-east-1", client, configurationSetName }: SesSettings, logger: Logger): Post {
  const connection = new AwsConnection({ service: SERVICE, region: awsRegion, client, logger });
  return {
    async send(mail, { from, to }, signal) {
      const headers = Object.entries(headersOf(mail, domainOf(from))).map(([Name, Value]) => ({ Name, Value }));
      const { subject, text, html } = mail;
      const input = {
        FromEmailAddress: headerText(from),
        Destination: { ToAddresses: to.map(headerText) },
        Content: {
          Simple: { Subject: utf8(subject), Body: { Text: utf8(text), Html: utf8(html) }, Headers: headers },
        },
        ...(configurationSetName !== undefined && { ConfigurationSetName: configurationSetName }),
      };
      const { answer, trouble } = await connection.send<{ readonly MessageId?: string }>(
        ({ SendEmailCommand }) => new SendEmailCommand(input),
        signal,
      );
      if (trouble !== undefined) return outcomeOf(trouble);
      return { status: "delivered", ...(answer.MessageId !== undefined && { answer: answer.MessageId }) };
    },
    async check(signal) {
      const { answer, trouble } = await connection.send<Account>(
        ({ GetAccountCommand }) => new GetAccountCommand({}),
        signal,
      );
      if (trouble !== undefined) {
        checkTrouble(trouble, { feature: SERVICE.feature, action: "ses:GetAccount", logger });
      } else if (answer.SendingEnabled === false) {
        throw new MilepostError(
          "NOTIFIER_UNUSABLE",
          `SES does not send for this account in ${awsRegion}: it is paused`,
        );
      } else if (answer.ProductionAccessEnabled === false) {
        report(logger, "warn", "SES is in its sandbox here: only addresses that are verified get mail");
      }
    },
    close: () => connection.close(),
  };
}

interface Account {
  readonly SendingEnabled?: boolean;
  readonly ProductionAccessEnabled?: boolean;
}
