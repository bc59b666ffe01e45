import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { ENDED_OTHERWISE, SIGNAL_EXIT } from "../../src/cli/exit-codes.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { ERRORS } from "../../src/errors.ts";
import { start } from "./command-line.ts";

const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");

/** The text below a heading, up to the next one of its rank. */
const section = (heading: string) =>
  page.split(new RegExp(`^#{2,3} ${heading}\n`, "m"))[1]?.split(/^#{2,3} /m)[0] ?? "";

const longOptions = (text: string) => [...text.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, name]) => name).sort();

/** The options of a verb and of the verbs below it. */
const optionsOf = (command: Command): readonly string[] =>
  [...new Set([...command.options.flatMap(({ long }) => long ?? []), ...command.commands.flatMap(optionsOf)])].sort();

let program: Command;
beforeAll(async () => {
  program = await buildProgram(start([]).cli, () => true);
});

describe("docs/cli.md", () => {
  it("has a section for each verb, in the order of the help, and for no other", () => {
    const headings = [...page.matchAll(/^### (\S+)$/gm)].map(([, name]) => name).sort();
    expect(headings).toEqual(VERBS.map(({ name }) => name).sort());
  });

  it.each(VERBS.map(({ name }) => name))("lists the options of %s and the verbs below it, and no others", (name) => {
    const command = program.commands.find((candidate) => candidate.name() === name);
    expect(longOptions(section(name))).toEqual(command === undefined ? [] : optionsOf(command));
    for (const child of command?.commands ?? [])
      expect(section(name)).toMatch(new RegExp(`\`(milepost )?${name} ${child.name()}\\b`));
  });

  it("lists the options of every verb", () => {
    const global = program.options.flatMap(({ long }) => long ?? []);
    expect(longOptions(section("Options of every verb"))).toEqual([...global, "--help"].sort());
  });

  it("has the exit code of every error, and those that no error has", () => {
    const rows = [...section("Exit codes").matchAll(/^\| (\d+) +\| (.*)\|$/gm)].map(
      ([, code, text = ""]) => [Number(code), text] as const,
    );
    for (const [code, { exitCode }] of Object.entries(ERRORS)) {
      const listed = rows.filter(([, text]) => new RegExp(`\\b${code}\\b`).test(text)).map(([number]) => number);
      expect({ code, listed }).toEqual({ code, listed: [exitCode] });
    }
    const known = [
      0,
      ENDED_OTHERWISE,
      ...Object.values(SIGNAL_EXIT),
      ...Object.values(ERRORS).map(({ exitCode }) => exitCode),
    ];
    expect(rows.map(([number]) => number)).toEqual([...new Set(known)].sort((a, b) => a - b));
  });
});
