/** Short messages to a telephone by Amazon SNS: one line for each event, for what rules mark as urgent. */

import type * as SnsModule from "@aws-sdk/client-sns";

import { AwsConnection, type AwsClient, type AwsService } from "../aws/connection.ts";
import { checkTrouble, outcomeOf } from "../aws/outcome.ts";
import type { AwsTrouble } from "../aws/trouble.ts";
import { MilepostError, shown } from "../errors.ts";
import { checkCount, checkNumber } from "../model/check.ts";
import type { ProgressEvent } from "../model/event.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import { systemClock, type Clock } from "../tracker/clock.ts";
import { report, silentLogger, type Logger } from "../tracker/logger.ts";
import { safeText } from "../view/text/safe-text.ts";
import type { Notifier, Outcome } from "./notifier.ts";
import { Cap } from "./sms/cap.ts";
import { shortText } from "./sms/short-text.ts";
import { cutText, headline } from "./wording.ts";

export interface SmsOptions {
  /** A telephone number in E.164 form (`+491701234567`), or the ARN of an SNS topic that has several. */
  readonly to: string;
  /** Default `sms`. Its own among all notifiers. */
  readonly name?: string;
  /** Default us-east-1. */
  readonly awsRegion?: string;
  /** Who it is from, where the country allows it: 1 to 11 letters and digits, one letter at least. */
  readonly senderId?: string;
  /** What one message may cost at most, in US dollars; SNS does not send a dearer one. */
  readonly maxPriceUsd?: number;
  /** Messages in an hour; more are refused. Default 10. */
  readonly maxPerHour?: number;
  /** Messages in 24 hours; more are refused. Default 50. */
  readonly maxPerDay?: number;
  /** An `SNSClient` of yours. Default: one that finds its credentials and its address as the SDK does. */
  readonly client?: AwsClient;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

type SnsSdk = Pick<
  typeof SnsModule,
  "SNSClient" | "PublishCommand" | "CheckIfPhoneNumberIsOptedOutCommand" | "GetTopicAttributesCommand"
>;

const SERVICE: AwsService<SnsSdk> = {
  packageName: "@aws-sdk/client-sns",
  feature: "SMS",
  load: () => import("@aws-sdk/client-sns"),
  makeClient: ({ SNSClient }, config) => new SNSClient(config),
};
const E164 = /^\+[1-9]\d{6,14}$/;
const TOPIC = /^arn:[^:]+:sns:[^:]+:\d{12}:[\w.-]{1,256}$/;
const SENDER_ID = /^(?=.*[A-Za-z])[A-Za-z\d]{1,11}$/;
const SPENT = /spend(ing)?[ _]?limit|no quota left/i;
const HOUR_MS = 3_600_000;
const MAX_CLUSTER = 24;

/** @throws INVALID_ARGUMENT naming the option. */
export function sms(options: SmsOptions): Notifier {
  checkOptions(options);
  const { to, name = "sms", awsRegion = "us-east-1", maxPerHour = 10, maxPerDay = 50, client } = options;
  const { clock = systemClock, logger = silentLogger } = options;
  const connection = new AwsConnection({ service: SERVICE, region: awsRegion, client, logger });
  const monotonic = (): number => clock.monotonic();
  const caps = [new Cap(maxPerHour, HOUR_MS, monotonic), new Cap(maxPerDay, 24 * HOUR_MS, monotonic)];
  const saying = sayer(logger);

  async function tell(event: ProgressEvent, state: UpgradeProgress, signal: AbortSignal): Promise<Outcome> {
    if (caps.some((cap) => cap.isReached())) {
      const message = `${maxPerHour} messages in an hour or ${maxPerDay} in a day were sent already`;
      saying.once(`SMS: ${message}; what comes now goes to the dead letters`);
      return { status: "refused", code: "RATE_CAP", message };
    }
    const input = { ...target(to), Message: shortText(lineOf(event, state)), MessageAttributes: attributes(options) };
    const { answer, trouble } = await connection.send<{ readonly MessageId?: string }>(
      ({ PublishCommand }) => new PublishCommand(input),
      signal,
    );
    if (trouble !== undefined) return refusedOf(trouble, to, saying);
    for (const cap of caps) cap.count();
    saying.again();
    return { status: "delivered", ...(answer.MessageId !== undefined && { answer: answer.MessageId }) };
  }

  return {
    name,
    kind: "sms",
    limits: { maxEvents: 1, maxBytes: 1_000_000 },
    async notify({ events, state }, { signal }) {
      const outcomes: Outcome[] = [];
      for (const event of events) outcomes.push(await tell(event, state, signal));
      return outcomes;
    },
    async check({ signal }) {
      const { answer, trouble } = await connection.send<{ readonly isOptedOut?: boolean }>(
        (sdk) => look(sdk, to),
        signal,
      );
      const action = TOPIC.test(to) ? "sns:GetTopicAttributes" : "sns:CheckIfPhoneNumberIsOptedOut";
      if (trouble !== undefined) {
        const hidden = { ...trouble, message: withoutNumber(trouble.message, to) };
        checkTrouble(hidden, { feature: "SMS", action, logger });
      } else if (answer.isOptedOut === true) {
        const remedy = "its owner has to opt in again, or name another number";
        throw new MilepostError("NOTIFIER_UNUSABLE", `${masked(to)} has opted out of messages: ${remedy}`);
      }
    },
    async close() {
      connection.close();
    },
  };
}

/** A warning that is said once, until things have gone well again. */
function sayer(logger: Logger): { readonly once: (message: string) => void; readonly again: () => void } {
  let isSaid = false;
  return {
    once: (message) => {
      if (!isSaid) report(logger, "warn", message);
      isSaid = true;
    },
    again: () => {
      isSaid = false;
    },
  };
}

/** The line: which cluster, then what happened. */
function lineOf(event: ProgressEvent, state: UpgradeProgress): string {
  // Of an ARN the name is what people know.
  const cluster = state.clusterName.startsWith("arn:") ? state.clusterName.split("/").at(-1) : state.clusterName;
  return `${cutText(safeText(cluster ?? ""), MAX_CLUSTER)}: ${headline(event, state)}`;
}

function refusedOf(trouble: AwsTrouble, to: string, saying: ReturnType<typeof sayer>): Outcome {
  const isSpent = SPENT.test(`${trouble.code} ${trouble.message}`);
  const message = isSpent
    ? "SNS sends no more: the account's MonthlySpendLimit for SMS is reached; raise it, or wait for the next month"
    : withoutNumber(trouble.message, to);
  if (isSpent) saying.once(`SMS: ${message}`);
  return isSpent ? { status: "refused", code: "SPEND_LIMIT", message } : outcomeOf({ ...trouble, message });
}

function target(to: string): { readonly PhoneNumber: string } | { readonly TopicArn: string } {
  return TOPIC.test(to) ? { TopicArn: to } : { PhoneNumber: to };
}

function look(sdk: SnsSdk, to: string): object {
  return TOPIC.test(to)
    ? new sdk.GetTopicAttributesCommand({ TopicArn: to })
    : new sdk.CheckIfPhoneNumberIsOptedOutCommand({ phoneNumber: to });
}

interface Attribute {
  readonly DataType: "String" | "Number";
  readonly StringValue: string;
}

function attributes({ senderId, maxPriceUsd }: SmsOptions): Record<string, Attribute> {
  return {
    "AWS.SNS.SMS.SMSType": { DataType: "String", StringValue: "Transactional" },
    ...(senderId !== undefined && { "AWS.SNS.SMS.SenderID": { DataType: "String", StringValue: senderId } }),
    ...(maxPriceUsd !== undefined && {
      "AWS.SNS.SMS.MaxPrice": { DataType: "Number", StringValue: String(maxPriceUsd) },
    }),
  };
}

/** A number as it may be shown: it is somebody's. */
function masked(number: string): string {
  return TOPIC.test(number) ? number : `${number.slice(0, 3)}…${number.slice(-2)}`;
}

function withoutNumber(text: string, to: string): string {
  return text.replaceAll(to, masked(to));
}

function checkOptions({ to, senderId, maxPriceUsd, maxPerHour, maxPerDay }: SmsOptions): void {
  if (typeof to !== "string" || !(E164.test(to) || TOPIC.test(to))) {
    const wanted = "a number in E.164 form such as +491701234567, or the ARN of an SNS topic";
    throw new MilepostError("INVALID_ARGUMENT", `to must be ${wanted}, not ${shown(to)}`);
  }
  if (senderId !== undefined && !SENDER_ID.test(senderId)) {
    const wanted = "1 to 11 letters and digits with at least one letter";
    throw new MilepostError("INVALID_ARGUMENT", `senderId must be ${wanted}, not ${shown(senderId)}`);
  }
  if (maxPriceUsd !== undefined) checkNumber(maxPriceUsd, "maxPriceUsd", 100);
  if (maxPerHour !== undefined) checkCount(maxPerHour, "maxPerHour", 1);
  if (maxPerDay !== undefined) checkCount(maxPerDay, "maxPerDay", 1);
}
