/** The JSON of a file that a person wrote. */

import { MilepostError, shown } from "./errors.ts";
import { scanJson } from "./scan-json.ts";

/**
 * What the text of the file `path` holds. A byte order mark, as some editors put first, is passed over.
 *
 * @throws INVALID_ARGUMENT for text that is empty or no JSON, and for a name that stands twice in an object: of two notifiers or
 * lists of permissions of one name the first would be dropped in silence. No message quotes more of the text than that name.
 */
export function parseConfigJson(path: string, text: string): unknown {
  const json = text.replace(/^\uFEFF/, "");
  if (json.trim() === "") throw invalid(`${shown(path)} is empty; write JSON into it`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Not the parser's message: it quotes the text.
    throw invalid(`${shown(path)} is not JSON; \`jq . ${path}\` says where`);
  }
  const twice = scanJson(Buffer.from(json));
  if (twice === undefined) return value;
  throw invalid(`${shown(path)} has ${shown(twice)} twice in one object, and only the last would count; give it once`);
}

const invalid = (message: string): MilepostError => new MilepostError("INVALID_ARGUMENT", message);
