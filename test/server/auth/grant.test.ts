import { expect, test } from "vitest";

import { ACTIONS, may, parsePermission, type Grant, type Target } from "../../../src/server/auth/grant.ts";

const grantOf = (...permissions: string[]): Grant => ({
  subject: "token:x",
  permissions: permissions.map(parsePermission),
  expiresAtMs: null,
});

const TARGETS: Readonly<Record<string, Target>> = {
  fleet: { kind: "fleet" },
  "own cluster": { kind: "cluster", clusterName: "prod" },
  "foreign cluster": { kind: "cluster", clusterName: "dev" },
  "own upgrade": { kind: "upgrade", upgradeId: "u-1", clusterName: "prod" },
  "its neighbour": { kind: "upgrade", upgradeId: "u-2", clusterName: "prod" },
  "foreign upgrade": { kind: "upgrade", upgradeId: "u-3", clusterName: "dev" },
  "unknown upgrade": { kind: "upgrade", upgradeId: "u-4", clusterName: undefined },
};

/** What each role may: the letters of watch, report and admin, per target in the order above. */
const TABLE: Readonly<Record<string, string>> = {
  "watch:*": "w w w w w w w",
  "report:*": "wr wr wr wr wr wr wr",
  "admin:*": "wra wra wra wra wra wra wra",
  "watch:fleet": "w w w - - - -",
  "report:fleet": "wr w w - - - -",
  "admin:fleet": "wra w w - - - -",
  "watch:cluster:prod": "- w - w w - -",
  "report:cluster:prod": "- wr - wr wr - -",
  "admin:cluster:prod": "- wra - wra wra - -",
  "watch:upgrade:u-1": "- - - w - - -",
  "report:upgrade:u-1": "- - - wr - - -",
  "admin:upgrade:u-1": "- - - wra - - -",
  "": "- - - - - - -",
  "watch:fleet report:upgrade:u-3": "w w w - - wr -",
};

test("[G2] who may do what is this table, exactly (X05)", () => {
  let cells = 0;
  for (const [permissions, row] of Object.entries(TABLE)) {
    const grant = grantOf(...permissions.split(" ").filter((text) => text !== ""));
    const seen = Object.values(TARGETS).map((target) => {
      const allowed = ACTIONS.filter((action) => (cells++, may(grant, action, target)));
      return allowed.map(([letter]) => letter).join("") || "-";
    });
    expect([permissions, seen.join(" ")]).toEqual([permissions, row]);
  }
  expect(cells).toBe(14 * 7 * 3);
});

test("a permission covers no name that only looks like its own", () => {
  const grant = grantOf("admin:upgrade:u-1", "admin:cluster:prod");
  for (const upgradeId of ["u-10", "u-", "U-1", "*", "fleet", "u-1 ", "cluster:prod"]) {
    expect(may(grant, "watch", { kind: "upgrade", upgradeId, clusterName: "PROD" })).toBe(false);
  }
  expect(may(grant, "watch", { kind: "upgrade", upgradeId: "x", clusterName: "undefined" })).toBe(false);
  expect(may(grantOf("watch:cluster:undefined"), "watch", TARGETS["unknown upgrade"] as Target)).toBe(false);
});

test("permissions are read strictly", () => {
  expect(parsePermission("watch:upgrade:a:b c")).toEqual({ action: "watch", channel: "upgrade:a:b c" });
  expect(parsePermission("admin:*")).toEqual({ action: "admin", channel: "*" });
  const wrong = [
    "",
    "watch",
    "watch:",
    ":*",
    "Watch:*",
    "watch :*",
    "watch:**",
    "watch:Fleet",
    "watch:upgrade:",
    "own:*",
  ];
  for (const text of [...wrong, "watch:cluster:a\nb", "toString:*", "watch:upgrade"]) {
    expect(() => parsePermission(text), text).toThrow(/must|written|longer|control/);
  }
});
