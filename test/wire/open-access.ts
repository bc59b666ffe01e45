/** The access of a server of this machine, without the limit of messages: for tests that send more than anybody should. */

import type { Access } from "../../src/server/access.ts";
import { createDoor } from "../../src/server/door.ts";
import { systemClock } from "../../src/tracker/clock.ts";
import { silentLogger } from "../../src/tracker/logger.ts";

export function openAccess(): Access {
  const { access } = createDoor({ host: "127.0.0.1", clock: systemClock, logger: silentLogger });
  return { ...access, mayMessage: () => true };
}
