/** Share links: for those who shall only look at one upgrade. Made, listed, and ended. */

import { z } from "zod";

import { MilepostError, shown } from "../../../errors.ts";
import { checkId, checkObject } from "../../../model/check.ts";
import { checkFields } from "../../../model/known-fields.ts";
import { may, type Grant } from "../../auth/grant.ts";
import type { ShareEntry } from "../../auth/share-record.ts";
import type { ShareLinks } from "../../auth/share-links.ts";
import { readJson } from "../read-body.ts";
import type { Parameter, Route } from "../route.ts";
import { id, isoTime, named, time } from "../schemas/values.ts";
import { requireSome, withUpgrade, type Service } from "../service.ts";
import { UPGRADE_ID } from "./upgrade-routes.ts";

const JSON_TYPE = "application/json";

const shareRequest = z.strictObject({
  lifetimeMs: z.number().min(60_000).optional().describe("Seven days when left out"),
});
const shareLink = z.object({
  id: z.string().describe("To end it by; not a secret"),
  token: z.string().describe("The secret: it belongs behind the # of an address"),
  expiresAt: time,
});
const listedLink = z.object({
  id: z.string(),
  upgradeId: z.string(),
  createdBy: z.string().describe("The subject of whoever made it"),
  createdAt: time,
  expiresAt: time,
});
const linkList = z.object({ links: z.array(listedLink).describe("The oldest first; no list holds a secret") });
named
  .add(shareRequest, { id: "ShareRequest" })
  .add(shareLink, { id: "ShareLink" })
  .add(linkList, { id: "ShareLinkList" });

const LINK_ID: Parameter = {
  name: "link",
  in: "path",
  description: "The id of a link",
  schema: z.string().min(1).max(60),
  required: true,
};
const SHARE_FIELDS: ReadonlySet<string> = new Set(Object.keys(shareRequest.shape));
const ENDED = "Whoever came by it is cut within a second";

export function shareRoutes(service: Service, links: ShareLinks): readonly Route[] {
  return [
    createRoute(service, links),
    listRoute(service, links),
    endRoute(service, links),
    endAllRoute(service, links),
  ];
}

function createRoute(service: Service, links: ShareLinks): Route {
  return {
    method: "post",
    path: "/api/v1/upgrades/{id}/share",
    operationId: "shareUpgrade",
    summary: "A token with which anybody may watch this upgrade, until it expires",
    action: "admin",
    parameters: [UPGRADE_ID],
    body: shareRequest,
    answers: { 201: { description: "The token", content: { [JSON_TYPE]: shareLink } } },
    errors: [
      ...(["INVALID_ARGUMENT", "INVALID_PAYLOAD", "UNSUPPORTED_MEDIA_TYPE", "TOO_LARGE"] as const),
      ...(["LIMIT_REACHED", "STORAGE_UNUSABLE"] as const),
    ],
    handle: (c) =>
      withUpgrade(service, c, { action: "admin" }, async ({ state: { upgradeId, clusterName } }, { subject }) => {
        const fields = checkObject(await readJson(c), "the body");
        checkFields(fields, SHARE_FIELDS, "the body");
        const lifetimeMs = fields["lifetimeMs"] as number | undefined;
        const link = await links.createShareToken(upgradeId, lifetimeMs, { clusterName, createdBy: subject });
        return c.json({ id: link.id, token: link.token, expiresAt: isoTime(link.expiresAtMs) }, 201);
      }),
  };
}

function listRoute(service: Service, links: ShareLinks): Route {
  return {
    method: "get",
    path: "/api/v1/share-links",
    operationId: "listShareLinks",
    summary: "The share links that are good, without their secrets",
    description:
      "Those of upgrades that the caller may share. Links of another server with the same key are not known here.",
    action: "admin",
    parameters: [{ name: "upgrade", in: "query", description: "Only those of this upgrade", schema: id.optional() }],
    answers: { 200: { description: "The links", content: { [JSON_TYPE]: linkList } } },
    errors: ["INVALID_ID"],
    handle: (c) => {
      const grant = requireSome(service.identify(c));
      const asked = c.req.query("upgrade");
      const upgradeId = asked === undefined ? undefined : checkId(asked, "upgrade in the address");
      const found = links
        .list()
        .filter((link) => (upgradeId === undefined || link.upgradeId === upgradeId) && mayEnd(grant, link));
      return c.json({ links: found.map(listed) });
    },
  };
}

function endRoute(service: Service, links: ShareLinks): Route {
  return {
    method: "delete",
    path: "/api/v1/share-links/{link}",
    operationId: "endShareLink",
    summary: "End a share link",
    action: "admin",
    parameters: [LINK_ID],
    answers: { 204: { description: ENDED } },
    errors: ["NOT_FOUND", "LIMIT_REACHED", "STORAGE_UNUSABLE"],
    handle: (c) => {
      const grant = requireSome(service.identify(c));
      const linkId = c.req.param("link") ?? "";
      const link = links.list().find((each) => each.id === linkId);
      // One that is not in the list may be another server's: whoever may do everything can end it by its id alone.
      const isAllowed = link === undefined ? mayAll(grant) && links.isId(linkId) : mayEnd(grant, link);
      if (!isAllowed)
        throw new MilepostError("NOT_FOUND", `there is no share link ${shown(linkId)}; list those there are`);
      links.revoke(linkId);
      return c.body(null, 204);
    },
  };
}

function endAllRoute(service: Service, links: ShareLinks): Route {
  return {
    method: "delete",
    path: "/api/v1/upgrades/{id}/share",
    operationId: "endSharing",
    summary: "End all share links of an upgrade; new ones can be made",
    action: "admin",
    parameters: [UPGRADE_ID],
    answers: { 204: { description: ENDED } },
    errors: ["LIMIT_REACHED", "STORAGE_UNUSABLE"],
    handle: (c) =>
      withUpgrade(service, c, { action: "admin" }, ({ state }) => {
        links.revokeAll(state.upgradeId);
        return c.body(null, 204);
      }),
  };
}

const mayAll = ({ permissions }: Grant): boolean =>
  permissions.some(({ action, channel }) => action === "admin" && channel === "*");

const mayEnd = (grant: Grant, { upgradeId, clusterName }: ShareEntry): boolean =>
  may(grant, "admin", { kind: "upgrade", upgradeId, clusterName });

const listed = ({
  id: linkId,
  upgradeId,
  createdBy,
  createdAtMs,
  expiresAtMs,
}: ShareEntry): z.infer<typeof listedLink> => ({
  id: linkId,
  upgradeId,
  createdBy,
  createdAt: isoTime(createdAtMs),
  expiresAt: isoTime(expiresAtMs),
});
