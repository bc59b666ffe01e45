/** Deleting an upgrade, for good. */

import { isMilepostError, MilepostError, shown } from "../../../errors.ts";
import { report } from "../../../tracker/logger.ts";
import type { ShareLinks } from "../../auth/share-links.ts";
import type { Route } from "../route.ts";
import { idOf, RUN, withUpgrade, type Service } from "../service.ts";
import { UPGRADE_ID } from "./upgrade-routes.ts";

export function deleteRoutes(service: Service, links: ShareLinks): readonly Route[] {
  return [
    {
      method: "delete",
      path: "/api/v1/upgrades/{id}",
      operationId: "deleteUpgrade",
      summary: "Delete an upgrade with its finished runs, for good",
      description:
        "Refused while a process writes it (423). Also of an upgrade whose log is damaged. A finished run, `<id>@<n>`, goes with " +
        "its upgrade and not alone. Readers of the upgrade get UNKNOWN_UPGRADE, those of lists the message `removed`; its share links end.",
      action: "admin",
      parameters: [UPGRADE_ID],
      answers: { 204: { description: "It is deleted" } },
      errors: ["LOCKED", "INVALID_ARGUMENT", "SHUTTING_DOWN"],
      handle: async (c) => {
        const ref = idOf(c);
        const isRun = await withUpgrade(service, c, { action: "admin" }, ({ state }) => state.upgradeId !== ref).catch(
          (error: unknown) => {
            // What cannot be read can be deleted; the caller is known to be allowed to.
            if (!isMilepostError(error, "CORRUPT", "NEWER_FORMAT")) throw error;
            return RUN.test(ref);
          },
        );
        if (isRun) {
          throw new MilepostError(
            "INVALID_ARGUMENT",
            `${shown(ref)} is a finished run; it goes with its upgrade and cannot be deleted alone`,
          );
        }
        await service.upgrades.delete(ref);
        endLinks(service, links, ref);
        return c.body(null, 204);
      },
    },
  ];
}

/** Whoever had a link to it has none to the next upgrade of this name. */
function endLinks({ logger }: Service, links: ShareLinks, upgradeId: string): void {
  try {
    if (links.list().some((link) => link.upgradeId === upgradeId)) links.revokeAll(upgradeId);
  } catch (error) {
    report(logger, "error", `the share links of the deleted upgrade ${shown(upgradeId)} could not be ended`, error);
  }
}
