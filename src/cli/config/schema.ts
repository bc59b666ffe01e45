/** The shape of the config file. Editors get it as JSON Schema (`docs/config.schema.json`, `milepost notify schema`). */

import { z } from "zod";

import type { EventType } from "../../model/event.ts";
import { ProgressStatus } from "../../model/vocabulary.ts";
import { matches } from "../../notify/rules.ts";

/** Whose values an error must not show. */
export const SECRET_FIELDS: ReadonlySet<PropertyKey> = new Set([
  "token",
  "webhookUrl",
  "secrets",
  "headers",
  "smtp",
  "url",
]);

const TEXT = z.string({ error: "must be text" }).min(1, { error: "must not be empty" });
const TEXTS = z.array(TEXT, { error: 'must be a list of texts, as ["…", "…"]' });
const IN_ENV = z.strictObject({ env: TEXT.describe("The name of a variable of the environment.") });
const IN_FILE = z.strictObject({ file: TEXT.describe("The path of a file, from the folder of the config file.") });

const SECRET = z.union([IN_ENV, IN_FILE], {
  error: 'must be {"env": "NAME"} or {"file": "path"}, since no secret stands in this file',
});
const TEXT_OR_SECRET = z.union([TEXT, IN_ENV, IN_FILE], {
  error: 'must be text, {"env": "NAME"} or {"file": "path"}',
});

const numberFrom = (least: number, most: number) => {
  const error = `must be a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
};
const countFrom = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

const BASE_URL = TEXT.describe("Where people reach the dashboard; messages then have a link to it.").optional();
const REGION = TEXT.describe("Default us-east-1.").optional();
const ADDRESSES = TEXTS.describe(
  "Addresses and subnets that may be reached though they are not public, as 10.0.0.0/8.",
).optional();
const TIMEOUT = numberFrom(1, 600_000).describe("For the whole of a request, in ms. Default 10000.").optional();

const EVENTBRIDGE = z.strictObject({
  kind: z.literal("eventbridge"),
  busName: TEXT.describe("Name or ARN of the bus."),
  awsRegion: REGION,
  source: TEXT.describe("What rules of AWS see as the source. Default milepost.").optional(),
  resources: TEXTS.describe(
    "ARNs that every event is about. Default: the cluster's, where its name is one.",
  ).optional(),
  traceHeader: TEXT.describe("An X-Ray header, or a W3C traceparent.").optional(),
  endpointId: TEXT.describe("A global endpoint, such as abcde.veo.").optional(),
  maxEntryBytes: countFrom(4_096, 900_000).describe("A larger event is cut. Default 240000.").optional(),
});

const SLACK = z
  .strictObject({
    kind: z.literal("slack"),
    token: SECRET.describe("Of the bot: xoxb-…").optional(),
    channel: TEXT.describe("The id of the channel, such as C0123456789.").optional(),
    webhookUrl: SECRET.describe("Of an incoming webhook, in place of token and channel.").optional(),
    baseUrl: BASE_URL,
    slackApiUrl: TEXT.describe("Default https://slack.com/api/.").optional(),
    allowedAddresses: ADDRESSES,
    timeoutMs: TIMEOUT,
  })
  .refine(
    ({ token, channel, webhookUrl }) =>
      webhookUrl === undefined ? token !== undefined && channel !== undefined : (token ?? channel) === undefined,
    { error: "must have token and channel (a bot), or webhookUrl alone (an incoming webhook)" },
  )
  .meta({ oneOf: [{ required: ["token", "channel"] }, { required: ["webhookUrl"] }] });

const SES = z.strictObject(
  { awsRegion: REGION, configurationSetName: TEXT.optional() },
  { error: 'must be an object, as {"awsRegion": "eu-west-1"}' },
);
const EMAIL = z
  .strictObject({
    kind: z.literal("email"),
    from: TEXT.describe("milepost@example.com or Milepost <milepost@example.com>."),
    to: z.union([TEXT, TEXTS], { error: "must be an address or a list of addresses" }),
    smtp: TEXT_OR_SECRET.describe(
      "smtps://user:password@host:465 or smtp://host:587; with a password it stands elsewhere.",
    ).optional(),
    ses: SES.describe("Amazon SES, in place of smtp.").optional(),
    baseUrl: BASE_URL,
  })
  .refine(({ smtp, ses }) => (smtp === undefined) !== (ses === undefined), {
    error: "must have smtp or ses, and not both: they say how mails go out",
  })
  .meta({ oneOf: [{ required: ["smtp"] }, { required: ["ses"] }] });

const SMS = z.strictObject({
  kind: z.literal("sms"),
  to: TEXT.describe("A number in E.164 form, such as +491701234567, or the ARN of an SNS topic."),
  awsRegion: REGION,
  senderId: TEXT.describe("1 to 11 letters and digits.").optional(),
  maxPriceUsd: numberFrom(0, 100).describe("What one message may cost at most.").optional(),
  maxPerHour: countFrom(1, 1_000_000).describe("Default 10.").optional(),
  maxPerDay: countFrom(1, 1_000_000).describe("Default 50.").optional(),
});

const WEBHOOK = z.strictObject({
  kind: z.literal("webhook"),
  url: TEXT_OR_SECRET.describe("Begins with https:."),
  secrets: z.array(SECRET, { error: 'must be a list, as [{"env": "NAME"}]' }).min(1, { error: "must not be empty" }),
  format: z.enum(["standard", "cloudevents"], { error: "must be standard or cloudevents" }).optional(),
  headers: z.record(TEXT, TEXT_OR_SECRET, { error: "must be an object of texts" }).optional(),
  allowedAddresses: ADDRESSES,
  timeoutMs: TIMEOUT,
});

const NOTIFIER = z.discriminatedUnion("kind", [EVENTBRIDGE, SLACK, EMAIL, SMS, WEBHOOK], {
  error: "must be one of eventbridge, slack, email, sms, webhook",
});

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const NOTIFIER_NAME = z
  .string()
  .regex(NAME, { error: "is no name of a notifier: use lower-case letters, digits and hyphens" });

/** Complete, by its type. */
const EVENT_TYPES: Readonly<Record<EventType, true>> = {
  "writer.opened": true,
  "writer.closed": true,
  "upgrade.started": true,
  "upgrade.phase_changed": true,
  "upgrade.paused": true,
  "upgrade.resumed": true,
  "upgrade.completed": true,
  "upgrade.failed": true,
  "upgrade.cancelled": true,
  "task.added": true,
  "task.started": true,
  "task.progressed": true,
  "task.completed": true,
  "task.failed": true,
  "task.retried": true,
  "task.paused": true,
  "task.resumed": true,
  "task.skipped": true,
  "task.cancelled": true,
  "task.waiting": true,
  "task.heartbeat": true,
  "insight.raised": true,
  "insight.updated": true,
  "insight.cleared": true,
  "health.changed": true,
  "log.appended": true,
};

const matchesSome = (pattern: string): boolean => Object.keys(EVENT_TYPES).some((type) => matches([pattern], type));
const EVENT_PATTERN = TEXT.max(200, { error: "must be shorter" })
  .refine(matchesSome, {
    error: "matches no type of event; such are upgrade.*, task.failed, health.changed, docs/spec.md lists them",
  })
  .describe("A type of event; * stands for any text: upgrade.*, task.failed.");

const TIME_OF_DAY = z.string({ error: "must be a time of day, as 22:00" }).regex(/^([01]\d|2[0-3]):[0-5]\d$/, {
  error: "must be a time of day, as 22:00",
});
const HOURS = z.strictObject(
  {
    from: TIME_OF_DAY,
    to: TIME_OF_DAY.describe("Over midnight when it is the earlier one."),
    timeZone: TEXT.describe("Such as Europe/Berlin. Default UTC.").optional(),
  },
  { error: 'must be an object, as {"from": "22:00", "to": "07:00", "timeZone": "Europe/Berlin"}' },
);
const STATUSES = Object.values(ProgressStatus);
const LEVELS = ["info", "warning", "error"] as const;
const TURNS = ["stuck", "recovered"] as const;
const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(", ")}` });

const RULE = z
  .strictObject(
    {
      name: TEXT.describe("For people. Default rule 1, rule 2 …").optional(),
      to: TEXTS.describe("The names of the notifiers that it is for; all when left out.").optional(),
      events: z.array(EVENT_PATTERN, { error: 'must be a list of types of events, as ["upgrade.*"]' }).optional(),
      statuses: z
        .array(oneOf(STATUSES), { error: "must be a list of statuses" })
        .describe("The status that the event reports.")
        .optional(),
      clusters: TEXTS.describe("Names of clusters; * stands for any text.").optional(),
      taskTypes: TEXTS.optional(),
      minSeverity: oneOf(LEVELS).describe("This serious or more.").optional(),
      turns: z
        .array(oneOf(TURNS), { error: "must be a list of stuck, recovered" })
        .describe("stuck: it stalls, degrades, is lost or begins to wait. recovered: it goes on after that.")
        .optional(),
      hours: HOURS.describe("Only what happens within these hours.").optional(),
      quietHours: HOURS.describe(
        "What happens within these hours is told at their end; what is an error is told at once.",
      ).optional(),
      digestMinutes: countFrom(1, 1_440).describe("Told together, every so many minutes.").optional(),
      repeatMinutes: countFrom(1, 1_440)
        .describe("Told again every so many minutes, as long as it stays stuck or failed.")
        .optional(),
    },
    { error: "must be an object" },
  )
  .describe("What an event must be to be told: all that is given must hold.");

/** The whole file. */
export const CONFIG = z
  .strictObject(
    {
      $schema: z.string().optional(),
      notifiers: z
        .record(NOTIFIER_NAME, NOTIFIER, { error: "must be an object of notifiers by their names" })
        .describe("Who is told, by names of your choice: lower-case letters, digits and hyphens.")
        .optional(),
      rules: z
        .array(RULE, { error: "must be a list of rules" })
        .describe("What is told; of the rules for a notifier, the first that selects an event decides.")
        .optional(),
    },
    { error: "must be an object" },
  )
  .meta({ title: "Config file of Milepost" });

export type ConfigFile = z.infer<typeof CONFIG>;
export type NotifierEntry = z.infer<typeof NOTIFIER>;
/** A value that may stand elsewhere. */
export type Elsewhere = z.infer<typeof TEXT_OR_SECRET>;

/** The shape as JSON Schema, for editors. */
export const configSchema = (): object => z.toJSONSchema(CONFIG, { io: "input" });
