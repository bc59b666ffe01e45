import { expect, test } from "vitest";

import { createDoor } from "../../src/server/door.ts";
import { systemClock } from "../../src/tracker/clock.ts";
import { silentLogger } from "../../src/tracker/logger.ts";

const SETTINGS = { host: "127.0.0.1", clock: systemClock, logger: silentLogger };

test("[G1] a server of this machine takes no name of the network without credentials, unless that is meant", () => {
  const allowedHosts = ["milepost.example.com"];
  expect(() => createDoor({ ...SETTINGS, allowedHosts })).toThrow(/"milepost.example.com".*--auth-file/);
  expect(() => createDoor({ ...SETTINGS, allowedHosts, allowUnauthenticated: true })).not.toThrow();
  expect(() => createDoor(SETTINGS)).not.toThrow();
});
