/** The query of an address: what nothing reads is refused, as in a body. */

import { MilepostError, shown } from "../errors.ts";
import { checkFields } from "../model/known-fields.ts";
import { SECRET_PARAMETERS } from "./auth/credentials.ts";

/**
 * Checks that a query has no fields but those that are known and credentials, and each of them once.
 *
 * @throws INVALID_ARGUMENT.
 */
export function checkQuery(query: URLSearchParams, known: ReadonlySet<string>): void {
  const fields: [string, string][] = [...query].filter(([name]) => !SECRET_PARAMETERS.includes(name));
  checkFields(Object.fromEntries(fields), known, "the query of this address");
  const twice = [...known].find((name) => query.getAll(name).length > 1);
  if (twice === undefined) return;
  throw new MilepostError("INVALID_ARGUMENT", `the query has ${shown(twice)} more than once; give it once`);
}
