import { expect, test } from "vitest";

import { ERRORS, isMilepostError, type MilepostError } from "../../../src/errors.ts";
import { ACTIONS, parsePermission, type Grant, type Target } from "../../../src/server/auth/grant.ts";
import { authorise, authoriseUpgrade } from "../../../src/server/auth/refusal.ts";

const grantOf = (subject: string, ...permissions: string[]): Grant => ({
  subject,
  permissions: permissions.map(parsePermission),
  expiresAtMs: null,
});
const upgrade = (upgradeId: string, clusterName?: string): Target => ({ kind: "upgrade", upgradeId, clusterName });

const answer = (act: () => void): { code: string; status: number; message: string; context: unknown } | "allowed" => {
  try {
    act();
    return "allowed";
  } catch (error) {
    expect(isMilepostError(error)).toBe(true);
    const { code, message, context } = error as MilepostError;
    return { code, status: ERRORS[code].httpStatus, message, context };
  }
};

test("somebody else's upgrade is refused exactly as one that there is not, whatever is asked (X05)", () => {
  for (const grant of [
    grantOf("token:x", "admin:cluster:mine"),
    grantOf("token:x", "report:upgrade:mine"),
    grantOf("token:x", "admin:fleet"),
    grantOf("token:x"),
    grantOf("anonymous", "watch:fleet"),
    undefined,
  ]) {
    for (const action of ACTIONS) {
      const foreign = answer(() => authorise(grant, action, upgrade("u", "theirs")));
      expect(foreign).toEqual(answer(() => authorise(grant, action, upgrade("u"))));
      const isNobody = grant === undefined || grant.subject === "anonymous";
      expect(foreign).toMatchObject(
        isNobody ? { code: "UNAUTHENTICATED", status: 401 } : { code: "UNKNOWN_UPGRADE", status: 404 },
      );
    }
  }
});

test("one who may see a thing is told that it may not be changed", () => {
  const grant = grantOf("token:x", "watch:upgrade:u");
  expect(answer(() => authorise(grant, "watch", upgrade("u")))).toBe("allowed");
  expect(answer(() => authorise(grant, "report", upgrade("u")))).toMatchObject({ code: "FORBIDDEN", status: 403 });
  expect(answer(() => authorise(grant, "watch", { kind: "fleet" }))).toMatchObject({ code: "FORBIDDEN" });
  expect(answer(() => authorise(grant, "watch", { kind: "cluster", clusterName: "c" }))).toMatchObject({
    code: "FORBIDDEN",
  });
  expect(answer(() => authorise(grantOf("anonymous", "watch:*"), "report", upgrade("u")))).toMatchObject({
    code: "UNAUTHENTICATED",
  });
});

test("the storage is asked for the cluster only where it can matter, so other refusals take the same time (X05)", async () => {
  let asked = 0;
  const access = (upgradeId: string, clusterName?: string, action: "watch" | "report" = "watch") => ({
    action,
    upgradeId,
    clusterNameOf: async () => (asked++, clusterName),
  });
  const outcome = async (grant: Grant | undefined, of: Parameters<typeof authoriseUpgrade>[1]): Promise<string> =>
    authoriseUpgrade(grant, of).then(
      () => "allowed",
      (error: MilepostError) => `${error.code} ${error.message}`,
    );
  for (const grant of [undefined, grantOf("token:x"), grantOf("token:x", "watch:upgrade:mine", "admin:fleet")]) {
    expect(await outcome(grant, access("u", "prod"))).toBe(await outcome(grant, access("u")));
  }
  expect(await outcome(grantOf("token:x", "watch:cluster:prod", "watch:upgrade:u"), access("u", "dev"))).toBe(
    "allowed",
  );
  expect(await outcome(grantOf("token:x", "report:*"), access("u", "dev", "report"))).toBe("allowed");
  expect(asked).toBe(0);
  const byCluster = grantOf("token:x", "watch:cluster:prod");
  expect(await outcome(byCluster, access("u", "prod"))).toBe("allowed");
  expect(await outcome(byCluster, access("u", "prod", "report"))).toMatch(/^FORBIDDEN/);
  expect(await outcome(byCluster, access("u", "dev"))).toBe(await outcome(byCluster, access("u")));
  expect(asked).toBe(4);
});
