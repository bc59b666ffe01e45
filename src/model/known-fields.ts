/** Refuses fields that nothing reads: most of them are misspelled ones, and what they meant would be lost in silence. */

import { MilepostError, shown } from "../errors.ts";

/**
 * Checks that an object has no fields but those that are known. One that is undefined counts as left out.
 *
 * @param what - the object in words, as `updateTaskProgress`.
 * @param mark - a field that may stand beside those that are known.
 * @throws INVALID_ARGUMENT naming the field, and the known one that is most like it.
 */
export function checkFields(fields: object, known: ReadonlySet<string>, what: string, mark?: string): void {
  for (const name in fields) {
    if (known.has(name) || name === mark || !Object.hasOwn(fields, name)) continue;
    if ((fields as Readonly<Record<string, unknown>>)[name] !== undefined) throw unknownField(name, known, what);
  }
}

function unknownField(name: string, known: ReadonlySet<string>, what: string): MilepostError {
  const nearest = nearestOf(name, known);
  const hint = nearest === undefined ? `it has ${[...known].join(", ") || "none"}` : `did you mean ${nearest}?`;
  return new MilepostError("INVALID_ARGUMENT", `${what} has no field ${shown(name)}; ${hint}`, {
    context: { field: name, ...(nearest !== undefined && { nearest }) },
  });
}

/** Longer names are not compared: they are no slip of a finger. */
const MAX_LENGTH = 40;
/** A beginning of a word this long says which word is meant. */
const MIN_BEGINNING = 3;

/** The one that was probably meant: the same but for case and signs, a longer or shorter form, or a few letters off. */
function nearestOf(name: string, known: ReadonlySet<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const wanted = plain(name);
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const other = plain(candidate);
    const [short, long] = wanted.length < other.length ? [wanted, other] : [other, wanted];
    const isForm = short.length >= MIN_BEGINNING && (long.startsWith(short) || long.endsWith(short));
    const distance = isForm ? 1 : distanceBetween(wanted, other);
    if (distance > Math.max(1, Math.floor(other.length / 3))) continue;
    if (best === undefined || distance < best.distance) best = { name: candidate, distance };
  }
  return best?.name;
}

const plain = (name: string): string => name.replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();

/** Letters to put in, take out or change (Levenshtein), a row of the table at a time. */
function distanceBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1;
      const ways = [above[column], current[column - 1]].map((cost) => (cost as number) + 1);
      current.push(Math.min(...ways, (above[column - 1] as number) + change));
    }
    above = current;
  }
  return above[b.length] as number;
}
