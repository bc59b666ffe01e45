/** Credentials for those who cannot send a header: tickets and sessions; and who the caller is. */

import { z } from "zod";

import { checkObject, checkText } from "../../../model/check.ts";
import { checkFields } from "../../../model/known-fields.ts";
import { parseChannel, type Channel } from "../../../stream/protocol.ts";
import { requireSome, type Service } from "../service.ts";
import { ACTIONS, may, type Grant, type Target } from "../../auth/grant.ts";
import { endedSessionCookie, sessionCookie } from "../../auth/session-cookie.ts";
import type { ShareLinks } from "../../auth/share-links.ts";
import type { Tickets } from "../../auth/tickets.ts";
import { authenticateToken, isSecure, type CallerOptions } from "../caller.ts";
import { readJson } from "../read-body.ts";
import { queryValue, type ApiContext, type Route } from "../route.ts";
import { isoTime, named, time } from "../schemas/values.ts";
import { shareRoutes } from "./share-routes.ts";

const JSON_TYPE = "application/json";
const MAX_TOKEN = 16_384;
const REFUSALS = ["UNAUTHENTICATED", "TOKEN_EXPIRED", "RATE_LIMITED"] as const;
const SESSION_FIELDS: ReadonlySet<string> = new Set(["token"]);

const channel = z.string().max(300).default("fleet");

const ticket = z.object({
  ticket: z.string().describe("For `?ticket=` of one WebSocket or one event stream"),
  expiresInMs: z.int().min(1),
});
const sessionRequest = z.strictObject({
  token: z
    .string()
    .max(3_800)
    .regex(/^[\w.~-]+$/)
    .describe("What fits a cookie"),
});
const session = z.object({
  subject: z.string().nullable().describe("Who the caller is; null for nobody, where that may do nothing"),
  expiresAt: time.nullable().describe("When the credentials end; null when they do not"),
  permissions: z.array(z.string()).describe("What the caller may do, as `report:cluster:prod`"),
  actions: z
    .array(z.enum(ACTIONS))
    .describe("What of it is about the channel that was asked for; `fleet` when none was"),
  refused: z.enum(REFUSALS).nullable().describe("Why the cookie that came along is not taken; the answer ends it"),
});
named.add(ticket, { id: "Ticket" }).add(sessionRequest, { id: "SessionRequest" }).add(session, { id: "Session" });

export interface Credentials extends CallerOptions {
  readonly tickets: Tickets;
  readonly shareLinks: ShareLinks;
}

export function credentialRoutes(service: Service, credentials: Credentials): readonly Route[] {
  return [
    ticketRoute(service, credentials),
    whoRoute(service, credentials),
    sessionRoute(service, credentials),
    signOutRoute(credentials),
    ...shareRoutes(service, credentials.shareLinks),
  ];
}

function ticketRoute(service: Service, { tickets }: Credentials): Route {
  return {
    method: "post",
    path: "/api/v1/tickets",
    operationId: "issueTicket",
    summary: "A ticket that stands for the caller once, in an address",
    description: "For clients that can send no header, such as EventSource and a browser's WebSocket on another site.",
    action: "watch",
    answers: { 201: { description: "The ticket", content: { [JSON_TYPE]: ticket } } },
    errors: ["RATE_LIMITED"],
    handle: async (c) => {
      const grant = requireSome(service.identify(c));
      return c.json({ ticket: tickets.issue(grant), expiresInMs: tickets.lifetimeMs }, 201);
    },
  };
}

function sessionRoute({ clock }: Service, credentials: Credentials): Route {
  return {
    method: "post",
    path: "/api/v1/session",
    operationId: "startSession",
    summary: "Exchange a token for a cookie that scripts cannot read",
    description:
      "The cookie ends when the token does. A request with the cookie that changes something needs an Origin header.",
    body: sessionRequest,
    answers: {
      200: {
        description: "Who the caller is",
        content: { [JSON_TYPE]: session },
        headers: { "Set-Cookie": "The cookie" },
      },
    },
    errors: [
      "INVALID_ARGUMENT",
      "INVALID_TEXT",
      "INVALID_PAYLOAD",
      "UNAUTHENTICATED",
      "TOKEN_EXPIRED",
      "RATE_LIMITED",
      "UNSUPPORTED_MEDIA_TYPE",
      "TOO_LARGE",
    ],
    handle: async (c) => {
      const fields = checkObject(await readJson(c), "the body");
      checkFields(fields, SESSION_FIELDS, "the body");
      const token = checkText(fields["token"], "token", MAX_TOKEN);
      const grant = await authenticateToken(c, credentials, token);
      const cookie = { token, grant, isSecure: isSecure(c, credentials.trustedProxies), nowMs: clock.now() };
      c.header("Set-Cookie", sessionCookie(cookie));
      return c.json(sessionOf(grant, { kind: "fleet" }));
    },
  };
}

function whoRoute(service: Service, { authenticator, trustedProxies }: Credentials): Route {
  return {
    method: "get",
    path: "/api/v1/session",
    operationId: "getSession",
    summary: "Who the caller is for this server, and what they may do",
    description:
      "Also for a caller whose cookie has ended: that is no error here, since a page asks to find it out. " +
      "Of an upgrade that is not there, or not the caller's, `actions` says nothing.",
    parameters: [
      { name: "channel", in: "query", description: '"fleet", "cluster:<name>" or "upgrade:<id>"', schema: channel },
    ],
    answers: { 200: { description: "Who the caller is", content: { [JSON_TYPE]: session } } },
    errors: ["INVALID_ARGUMENT", "INVALID_ID", "UNAUTHENTICATED", "TOKEN_EXPIRED", "RATE_LIMITED"],
    handle: async (c) => {
      const asked = parseChannel(queryValue(c, "channel", channel));
      const refusal = c.get("refusal");
      if (refusal !== undefined && isByCookie(c)) {
        if (refusal.code !== "RATE_LIMITED") c.header("Set-Cookie", endedSessionCookie(isSecure(c, trustedProxies)));
        const anonymous = sessionOf(authenticator.anonymous, { kind: "fleet" });
        return c.json({ ...anonymous, refused: refusal.code });
      }
      const grant = service.identify(c);
      return c.json(sessionOf(grant, await targetOf(service, asked, grant)));
    },
  };
}

function signOutRoute({ trustedProxies }: Credentials): Route {
  return {
    method: "delete",
    path: "/api/v1/session",
    operationId: "endSession",
    summary: "Forget the cookie; the token in it stays what it was",
    answers: { 204: { description: "It is forgotten", headers: { "Set-Cookie": "The cookie, ended" } } },
    handle: (c) => {
      c.header("Set-Cookie", endedSessionCookie(isSecure(c, trustedProxies)));
      return c.body(null, 204);
    },
  };
}

/** Credentials that were sent on purpose are refused in the usual way. */
const isByCookie = (c: ApiContext): boolean =>
  c.req.header("authorization") === undefined && c.req.query("ticket") === undefined;

function sessionOf(grant: Grant | undefined, target: Target | undefined): z.infer<typeof session> {
  return {
    subject: grant?.subject ?? null,
    expiresAt: isoTime(grant?.expiresAtMs ?? null),
    permissions: grant?.permissions.map(({ action, channel }) => `${action}:${channel}`) ?? [],
    actions: grant && target ? ACTIONS.filter((action) => may(grant, action, target)) : [],
    refused: null,
  };
}

/** What a channel is about; undefined for an upgrade that the caller cannot see, whether it is there or not. */
async function targetOf(service: Service, channel: Channel, grant: Grant | undefined): Promise<Target | undefined> {
  if (channel.kind !== "upgrade") return channel;
  const { upgradeId } = channel;
  const unknown = { kind: "upgrade", upgradeId, clusterName: undefined } as const;
  // Only a permission for a cluster makes it matter which one the upgrade is of.
  if (grant?.permissions.some((permission) => permission.channel.startsWith("cluster:")) !== true) return unknown;
  try {
    const log = await service.hub.open(upgradeId);
    log.release();
    return { ...unknown, clusterName: log.state.clusterName };
  } catch {
    return unknown;
  }
}
