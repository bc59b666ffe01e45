/** Mail addresses as people write them in settings. */

import { MilepostError, shown } from "../../errors.ts";

export interface Address {
  /** Empty when only the address was given. */
  readonly name: string;
  readonly address: string;
}

const PLAIN = /^[^\p{Cc}\s<>()[\]\\,;:"@]{1,64}@[^\p{Cc}\s<>()[\]\\,;:"@]{1,253}$/u;
const NAMED = /^(?<name>[^\p{Cc}\u2028\u2029<>]*)<(?<address>[^<>]+)>$/u;

/** `ops@example.com` or `The ops team <ops@example.com>`. @throws INVALID_ARGUMENT, also for anything that could begin a header. */
export function readAddress(text: unknown, field: string): Address {
  const { name: before = "", address = text } = (typeof text === "string" && NAMED.exec(text.trim())?.groups) || {};
  const name = before.trim();
  if (typeof address === "string" && PLAIN.test(address) && name.length <= 100) {
    return { name: name.replace(/^"(.*)"$/, "$1"), address };
  }
  const wanted = 'a mail address such as ops@example.com or "The ops team <ops@example.com>"';
  throw new MilepostError("INVALID_ARGUMENT", `${field} must be ${wanted}, not ${shown(text)}`);
}

/** What comes after the @. */
export function domainOf({ address }: Address): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

const ENCODED_BYTES = 45;

/** As it stands in a header (RFC 5322; a name that is not plain as encoded words, RFC 2047). */
export function headerText({ name, address }: Address): string {
  if (name === "") return address;
  if (/^[\x20-\x7e]*$/.test(name)) return `"${name.replace(/["\\]/g, "\\$&")}" <${address}>`;
  const words: string[] = [""];
  for (const char of name) {
    const last = words.at(-1) as string;
    if (Buffer.byteLength(last + char) > ENCODED_BYTES) words.push(char);
    else words[words.length - 1] = last + char;
  }
  const encoded = words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString("base64")}?=`);
  return `${encoded.join(" ")} <${address}>`;
}
