import { readFileSync } from "node:fs";

import { expect, test } from "vitest";
import type { z } from "zod";

import { CLIENT_MESSAGES, SERVER_MESSAGES, type MessageSchema } from "../../src/server/api/schemas/messages.ts";

const PAGE = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

/** The rows of a section: a message's type, and its fields, those with a question mark being optional. */
function listed(section: string): string[] {
  const text = PAGE.slice(PAGE.indexOf(`\n## ${section}\n`));
  const body = text.slice(0, text.indexOf("\n## ", 4));
  return [...body.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(
    ([, type, fields]) => `${type}: ${(fields ?? "").trim().replaceAll("`", "")}`,
  );
}

/** The same from a schema, which the compiler holds to `protocol.ts`. */
function described({ schema }: MessageSchema): string {
  const { shape } = schema as z.ZodObject<Record<string, z.ZodType>>;
  const { type, ...fields } = shape;
  const names = Object.entries(fields).map(([name, field]) => (field._zod.optin === "optional" ? `${name}?` : name));
  return `${(type as z.ZodLiteral<string>).value}: ${names.join(" ")}`;
}

test("docs/protocol.md lists every message of the server once, with its fields", () => {
  const messages = SERVER_MESSAGES.filter(({ name }) => name !== "Event");
  expect(listed("Messages of the server").sort()).toEqual(messages.map(described).sort());
});

test("docs/protocol.md lists every message of a client once, with its fields", () => {
  expect(listed("Messages of the client").sort()).toEqual(CLIENT_MESSAGES.map(described).sort());
});
