/** The message that every subject sends: an event of an upgrade, with the moment of its making in it. */

/** What stands before the moment, 16 digits of microseconds. */
export const STAMP = "made at ";

/** The moment as text. */
export function stamp(): string {
  return (process.hrtime.bigint() / 1000n).toString().padStart(16, "0");
}
