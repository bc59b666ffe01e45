/** Entity tags (RFC 9110, 8.8.3). */

/** True if a header of tags, as in If-None-Match, has this one, weakly compared. */
export function hasTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const given = header.split(",").map((each) => each.trim().replace(/^W\//, ""));
  return given.includes("*") || given.includes(tag);
}
