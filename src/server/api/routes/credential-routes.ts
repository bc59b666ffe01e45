/** Credentials for those who cannot send a header, and for those who shall only look: tickets, sessions, share links. */

import { z } from "zod";

import { checkObject, checkText } from "../../../model/check.ts";
import { requireSome, withUpgrade, type Service } from "../service.ts";
import { sessionCookie } from "../../auth/session-cookie.ts";
import type { ShareLinks } from "../../auth/share-links.ts";
import type { Tickets } from "../../auth/tickets.ts";
import { authenticateToken, isSecure, type CallerOptions } from "../caller.ts";
import { readJson } from "../read-body.ts";
import type { Route } from "../route.ts";
import { named, time } from "../schemas/values.ts";
import { UPGRADE_ID } from "./upgrade-routes.ts";

const JSON_TYPE = "application/json";
const MAX_TOKEN = 16_384;

const ticket = z.object({
  ticket: z.string().describe("For `?ticket=` of one WebSocket or one event stream"),
  expiresInMs: z.int().min(1),
});
const shareRequest = z.object({
  lifetimeMs: z.number().min(60_000).optional().describe("Seven days when left out"),
});
const shareLink = z.object({
  id: z.string().describe("To revoke it by; not a secret"),
  token: z.string().describe("The secret: it belongs behind the # of an address"),
  expiresAt: time,
});
const sessionRequest = z.object({
  token: z
    .string()
    .max(3_800)
    .regex(/^[\w.~-]+$/)
    .describe("What fits a cookie"),
});
const session = z.object({ subject: z.string(), expiresAt: time.nullable() });
named
  .add(ticket, { id: "Ticket" })
  .add(shareRequest, { id: "ShareRequest" })
  .add(shareLink, { id: "ShareLink" })
  .add(sessionRequest, { id: "SessionRequest" })
  .add(session, { id: "Session" });

export interface Credentials extends CallerOptions {
  readonly tickets: Tickets;
  readonly shareLinks: ShareLinks;
}

const isoTime = (epochMs: number | null): string | null => (epochMs === null ? null : new Date(epochMs).toISOString());

export function credentialRoutes(service: Service, credentials: Credentials): readonly Route[] {
  return [ticketRoute(service, credentials), sessionRoute(service, credentials), shareRoute(service, credentials)];
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
      const token = checkText(checkObject(await readJson(c), "the body")["token"], "token", MAX_TOKEN);
      const grant = await authenticateToken(c, credentials, token);
      const cookie = { token, grant, isSecure: isSecure(c, credentials.trustedProxies), nowMs: clock.now() };
      c.header("Set-Cookie", sessionCookie(cookie));
      return c.json({ subject: grant.subject, expiresAt: isoTime(grant.expiresAtMs) });
    },
  };
}

function shareRoute(service: Service, { shareLinks }: Credentials): Route {
  return {
    method: "post",
    path: "/api/v1/upgrades/{id}/share",
    operationId: "shareUpgrade",
    summary: "A token with which anybody may watch this upgrade, until it expires",
    action: "admin",
    parameters: [UPGRADE_ID],
    body: shareRequest,
    answers: { 201: { description: "The token", content: { [JSON_TYPE]: shareLink } } },
    errors: ["INVALID_ARGUMENT", "INVALID_PAYLOAD", "UNSUPPORTED_MEDIA_TYPE", "TOO_LARGE"],
    handle: (c) =>
      withUpgrade(service, c, { action: "admin" }, async ({ state }) => {
        const { lifetimeMs } = checkObject(await readJson(c), "the body");
        const link = await shareLinks.createShareToken(state.upgradeId, lifetimeMs as number | undefined);
        return c.json({ id: link.id, token: link.token, expiresAt: isoTime(link.expiresAtMs) }, 201);
      }),
  };
}
