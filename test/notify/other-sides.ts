/** Every notifier with the real thing at its other end, for the contract. */

import type { ServerResponse } from "node:http";

import { email } from "../../src/notify/email.ts";
import { EventBridgeNotifier } from "../../src/notify/eventbridge.ts";
import type { Notifier } from "../../src/notify/notifier.ts";
import { slack } from "../../src/notify/slack.ts";
import { sms } from "../../src/notify/sms.ts";
import { webhook } from "../../src/notify/webhook.ts";
import type { Behaviour, Told } from "../contracts/notifier.contract.ts";
import { manualClock } from "../manual-clock.ts";
import { awsEndpoint, awsError, CANARIES, type AwsReply, type AwsRequest } from "./aws-endpoint.ts";
import { allTaken, detailOf, entriesOf } from "./event-bus.ts";
import { keptLogger } from "./kept-logger.ts";
import { mailServer, valueOf, type MailReply } from "./mail-server.ts";
import { receiver, type Received } from "./receivers.ts";
import { blocksOf, slackServer, textsOf, TOKEN } from "./slack-server.ts";

const LOCAL = { allowedAddresses: ["127.0.0.1"] } as const;

/** What an HTTP receiver does. @param taken - how it answers when it is well. */
function httpAnswer(
  behaviour: Behaviour,
  response: ServerResponse,
  { echo, taken, deny }: { readonly echo: string; readonly taken: () => unknown; readonly deny: () => unknown },
): unknown {
  const statuses: Partial<Record<Behaviour, number>> = { fails: 503, refuses: 400, echoes: 400, waits: 429 };
  if (behaviour === "hangs") return undefined;
  if (behaviour === "cuts") return response.socket?.resetAndDestroy();
  if (behaviour === "takes") return taken();
  if (behaviour === "denies") return deny();
  if (behaviour === "drips") return response.writeHead(200, { "content-type": "application/json" }).write(" ");
  if (behaviour === "waits") response.setHeader("retry-after", "30");
  return response.writeHead(statuses[behaviour] ?? 500).end(behaviour === "echoes" ? echo : "not now");
}

/** Where `x` was given, also as a program in between might write it. */
const repeated = (secrets: readonly string[], request: Received): string =>
  JSON.stringify([secrets, request.url, request.headers, secrets.map(encodeURIComponent)]);

export async function webhookTold(): Promise<Told> {
  const key = Buffer.alloc(32, "CANARY/+").toString("base64");
  const secrets = [key, "CANARY-token-0123", "CANARY-path/of-the+hook", "CANARY-query-0123"];
  let now: Behaviour = "takes";
  const { origin, requests } = await receiver((request, response) =>
    httpAnswer(now, response, {
      echo: repeated(secrets, request),
      taken: () => response.end("ok"),
      deny: () => response.writeHead(401).end("who are you?"),
    }),
  );
  const again = (): Notifier =>
    webhook({
      url: `${origin}/${secrets[2]}?key=${secrets[3]}`,
      secrets: [`whsec_${key}`],
      headers: { authorization: `Bearer ${secrets[1]}` },
      ...LOCAL,
    });
  return {
    notifier: again(),
    again,
    behave: (behaviour) => (now = behaviour),
    secrets,
    received: () => requests.map(({ headers, body }) => JSON.stringify(headers) + body),
    identities: () => requests.map(({ headers }) => String(headers["webhook-id"])),
  };
}

export async function slackHookTold(): Promise<Told> {
  const secrets = ["CANARY-T00000/CANARY-B00000/CANARYcanaryCANARY"];
  let now: Behaviour = "takes";
  const { origin, requests } = await receiver((request, response) =>
    httpAnswer(now, response, {
      echo: repeated(secrets, request),
      taken: () => response.end("ok"),
      deny: () => response.writeHead(403).end("invalid_token"),
    }),
  );
  const clock = manualClock();
  const sleep = async (ms: number): Promise<void> => clock.pass(ms);
  const again = (): Notifier => slack({ webhookUrl: `${origin}/services/${secrets[0]}`, clock, sleep, ...LOCAL });
  return {
    notifier: again(),
    again,
    behave: (behaviour) => (now = behaviour),
    secrets,
    pass: (ms) => clock.pass(ms),
    received: () =>
      requests
        .filter(({ method }) => method === "POST")
        .map((request) => [JSON.parse(request.body).text, ...textsOf(blocksOf(request))].join("\n")),
  };
}

export async function slackBotTold(): Promise<Told> {
  let now: Behaviour = "takes";
  const server = await slackServer();
  const json = (error: string): string => JSON.stringify({ ok: false, error });
  const fault = (response: ServerResponse): unknown => {
    if (now === "refuses" || now === "echoes" || now === "denies") {
      const error = { refuses: "channel_not_found", echoes: `${TOKEN} is not one`, denies: "invalid_auth" }[now];
      return response.writeHead(200, { "content-type": "application/json" }).end(json(error));
    }
    return httpAnswer(now, response, { echo: "", taken: () => undefined, deny: () => undefined });
  };
  // Asked for each request: a fault for all of them, until it is another.
  server.faults.shift = () => (now === "takes" ? undefined : fault);
  const clock = manualClock();
  const sleep = async (ms: number): Promise<void> => clock.pass(ms);
  const again = (): Notifier =>
    slack({ token: TOKEN, channel: "C1", slackApiUrl: server.api, clock, sleep, timeoutMs: 2_000, ...LOCAL });
  return {
    notifier: again(),
    again,
    behave: (behaviour) => (now = behaviour),
    secrets: [TOKEN],
    pass: (ms) => clock.pass(ms),
    received: () => {
      const texts = server.messages.flatMap(({ text, blocks }) => [text, ...textsOf(blocks)]);
      return texts.length === 0 ? [] : [texts.join("\n")];
    },
  };
}

const AWS_REPLIES: Readonly<Record<Exclude<Behaviour, "takes">, AwsReply>> = {
  fails: awsError("InternalException", "oh", 500),
  refuses: awsError("ValidationException", "not like this"),
  waits: awsError("ThrottlingException", "Rate exceeded"),
  denies: awsError("UnrecognizedClientException", `who is ${CANARIES[1]}?`, 403),
  echoes: awsError("ValidationException", `bad: ${CANARIES.join(" and ")}`),
  cuts: "reset",
  hangs: "hang",
  drips: "drip",
};

interface AwsSide {
  readonly make: (logger: ReturnType<typeof keptLogger>) => Notifier;
  readonly taken: (request: AwsRequest) => AwsReply;
  /** The requests that tell, and what of them is the message. */
  readonly operation: string;
  readonly text: (request: AwsRequest) => string;
  readonly identity: (request: AwsRequest) => string;
}

async function awsTold({ make, taken, operation, text, identity }: AwsSide): Promise<Told> {
  const endpoint = await awsEndpoint();
  const behave = (behaviour: Behaviour): void => {
    endpoint.reply = behaviour === "takes" ? taken : () => AWS_REPLIES[behaviour];
  };
  behave("takes");
  const logger = keptLogger();
  const telling = (): AwsRequest[] => endpoint.requests.filter((request) => request.operation === operation);
  return {
    notifier: make(logger),
    again: () => make(logger),
    behave,
    secrets: CANARIES,
    logged: logger.lines,
    received: () => telling().map(text),
    identities: () => telling().map(identity),
  };
}

export const eventBridgeTold = (): Promise<Told> =>
  awsTold({
    make: (logger) => new EventBridgeNotifier({ busName: "upgrade-events", logger }),
    taken: (request) => (request.operation === "PutEvents" ? allTaken(request) : { body: { Name: "upgrade-events" } }),
    operation: "PutEvents",
    text: (request) => JSON.stringify(request.input),
    identity: (request) => (detailOf(entriesOf(request)[0])["metadata"] as { eventId: string }).eventId,
  });

export const smsTold = (): Promise<Told> =>
  awsTold({
    make: (logger) => sms({ to: "+491701234567", maxPerHour: 1_000, maxPerDay: 1_000, logger }),
    taken: ({ operation }) => ({ body: operation === "Publish" ? { MessageId: "m" } : { isOptedOut: "false" } }),
    operation: "Publish",
    text: ({ input }) => String(input["Message"]),
    identity: () => "",
  });

const SES_SEND = "POST /v2/email/outbound-emails";

export const sesTold = (): Promise<Told> =>
  awsTold({
    make: (logger) => email({ from: "milepost@example.com", to: "ops@example.org", ses: {}, logger }),
    taken: ({ operation }) => ({ body: operation === SES_SEND ? { MessageId: "m" } : { SendingEnabled: true } }),
    operation: SES_SEND,
    text: ({ input }) => htmlAndHeaders(input),
    identity: ({ input }) => /X-Milepost-Message","Value":"([^"]+)"/.exec(JSON.stringify(input))?.[1] ?? "",
  });

/** Tags mean something in the HTML alone. */
function htmlAndHeaders(input: Readonly<Record<string, unknown>>): string {
  const { Body, ...head } = (input as { Content: { Simple: { Body: { Html: { Data: string } } } } }).Content.Simple;
  return `${Body.Html.Data}\n${JSON.stringify(head).replaceAll("<", "")}`;
}

const PASSWORD = "CANARY pass/word+1";

export async function smtpTold(): Promise<Told> {
  const server = await mailServer();
  const logger = keptLogger();
  const wire = Buffer.from(`\u0000ops\u0000${PASSWORD}`).toString("base64");
  const replies: Readonly<Partial<Record<Behaviour, MailReply>>> = {
    fails: { code: 451, message: "try again later" },
    waits: { code: 421, message: "busy, come back in 30 seconds" },
    refuses: { code: 550, message: "no such user" },
    echoes: { code: 554, message: `AUTH PLAIN ${wire} ${PASSWORD} ${Buffer.from(PASSWORD).toString("base64")}` },
    cuts: "drop",
    hangs: "hang",
    drips: "hang",
  };
  const behave = (behaviour: Behaviour): void => {
    server.onMail = () => replies[behaviour];
    server.onConnect = () => (behaviour === "cuts" ? "drop" : undefined);
    server.onLogin = () => (behaviour === "denies" ? { code: 535, message: `not ${PASSWORD}` } : undefined);
  };
  const again = (): Notifier =>
    email({
      from: "milepost@example.com",
      to: "ops@example.org",
      smtp: `smtp://ops:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}`,
      logger,
    });
  return {
    notifier: again(),
    again,
    behave,
    secrets: [PASSWORD, wire],
    logged: logger.lines,
    received: () =>
      server.mails.map(({ headers, html }) => `${headers.map((one) => one.join(": ")).join("\n")}\n${html}`),
    identities: () => server.mails.map(({ headers }) => valueOf(headers, "message-id")),
  };
}
