/** What the claims of a token allow. */

import { parsePermission, type Permission } from "./grant.ts";

const MAX_PERMISSIONS = 256;

/**
 * The permissions in a claim. Words that are neither mapped nor permissions say nothing here (`openid`, the groups of others),
 * and are passed over; so is what stands behind the 256th permission.
 *
 * @param claim - text with spaces between the values, or an array of values (whose names may then hold spaces).
 */
export function claimedPermissions(
  claim: unknown,
  mapped: ReadonlyMap<string, readonly Permission[]>,
): readonly Permission[] {
  const values: readonly unknown[] = typeof claim === "string" ? claim.split(" ") : Array.isArray(claim) ? claim : [];
  return values
    .flatMap((value) => (typeof value === "string" ? (mapped.get(value) ?? permissionOf(value)) : []))
    .slice(0, MAX_PERMISSIONS);
}

function permissionOf(value: string): readonly Permission[] {
  try {
    return [parsePermission(value)];
  } catch {
    return [];
  }
}
