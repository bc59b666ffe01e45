/** Addresses of the dashboard: what they name, and that they lead back to it. */

import { describe, expect, test } from "vitest";

import { compareHref, parseRoute, upgradeHref } from "../../web/src/router.ts";
import { HOSTILE_IDS } from "../hostile-ids.ts";

const routeOf = (href: string) => parseRoute(new URL(href, "http://localhost"));

describe("an address", () => {
  test.each(["u1", "arn:aws:eks:eu:1:cluster/a b", "..", ".", "50%", "a?b#c&d=e", "ümläut 🚀", ...HOSTILE_IDS])(
    "of the upgrade %j leads back to it",
    (upgradeId) => {
      const place = { tab: "log", at: 12 } as const;
      expect(routeOf(upgradeHref(upgradeId, place))).toEqual({ page: "upgrade", upgradeId, ...place });
    },
  );

  test("says the page, and what it shows", () => {
    expect(routeOf("/?q=x")).toEqual({ page: "fleet" });
    expect(routeOf("/upgrades/u1")).toEqual({ page: "upgrade", upgradeId: "u1", tab: "tasks", at: undefined });
    expect(routeOf(compareHref("a/1", "b&2"))).toEqual({ page: "compare", a: "a/1", b: "b&2" });
    expect(routeOf("/compare")).toEqual({ page: "compare", a: undefined, b: undefined });
  });

  test.each(["/nowhere", "/upgrades", "/upgrades/a/b", "/upgrades/%ff", "/index.html", "/upgrades/"])(
    "that leads nowhere is said to: %s",
    (path) => expect(routeOf(path).page).toBe("not_found"),
  );

  test.each(["-1", "1.5", "x", "1e3", "9".repeat(20)])("with at=%s is live: that is no seq", (at) => {
    expect(routeOf(`/upgrades/u1?tab=nonsense&at=${at}`)).toMatchObject({ tab: "tasks", at: undefined });
  });
});
