/** No text that others send makes a regular expression take more than its length is worth (X23). */

import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

import ts from "typescript";
import { describe, expect, test } from "vitest";

const SOURCES = resolve(import.meta.dirname, "../../src");

interface Found {
  readonly file: string;
  readonly regex: RegExp;
}

/** Every regular expression that stands in the sources. Those that are put together from parts are in `src/sources/steps.ts` alone. */
function regexes(): readonly Found[] {
  const found: Found[] = [];
  for (const file of globSync("**/*.ts", { cwd: SOURCES }).sort()) {
    const visit = (node: ts.Node): void => {
      // Without a repetition it takes a bounded time at each place.
      if (ts.isRegularExpressionLiteral(node) && /[*+]|\{\d+,\}/.test(node.text)) {
        const [, source = "", flags = ""] = /^\/(.*)\/([a-z]*)$/s.exec(node.text) ?? [];
        found.push({ file, regex: new RegExp(source, flags) });
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, readFileSync(resolve(SOURCES, file), "utf8"), ts.ScriptTarget.Latest, true));
  }
  return found;
}

/** What brings a text to the place where a regular expression begins to repeat. */
const BEGINNINGS: readonly string[] = [
  "",
  "application/json",
  "application/json;charset=utf-8",
  "bearer ",
  "Bearer a",
  "upgrade:",
  "pmstatus:",
  "pmstatus:a",
  "media-change:",
  "Progress: [",
  '"',
  '{"',
  "[",
  "1/",
  "1/2 ",
  "1",
  "a",
  "a@",
  "a@1",
  "::ffff:",
  "arn:",
  "webhook-",
  "whsec_",
  "x <",
  "//",
  "Upgrade started: ",
  "charset=",
];
const REPEATED: readonly string[] = [
  " ",
  "\t",
  "\n",
  " \n",
  "a",
  "A",
  "1",
  "1 ",
  "1.",
  "1.1",
  ".",
  "..",
  ":",
  ":1:",
  ":1",
  "-",
  "=",
  "==",
  "@",
  "@1",
  "/",
  "//",
  "%",
  "%a",
  "#",
  "?",
  "&",
  '"',
  '\\"',
  '""',
  "\\",
  "[",
  "]",
  "[ ",
  "(",
  "<",
  ">",
  "{",
  "}",
  ";",
  "; ",
  ",",
  "a ",
  "a-",
  "a.",
  "aing ",
  "é",
  "\ud83d\ude80",
  "\u202e",
  "\u0000",
  "1h",
  "1ms",
];
/** For those that may begin anywhere: their worst texts need no beginning of their own. */
const ANYWHERE: readonly string[] = ["", '"', "[", "1", "a"];
const ENDINGS: readonly string[] = ["", "!", "\u2028"];

/** In these files a regular expression never sees more characters than so. */
const MOST_IN: Readonly<Record<string, number>> = {
  // A printed line is cut (MAX_LINE); findPercentage and findSteps take 400.
  "sources/apt.ts": 4_096,
  "sources/percent.ts": 400,
  "sources/steps.ts": 400,
  // The command line of whoever runs it, who waits for nobody else's text.
  "cli/commands/task.ts": 4_096,
  "cli/option-values.ts": 4_096,
  "cli/report-error.ts": 4_096,
  "cli/server-client.ts": 4_096,
};

/** Sees only what JSON.parse has taken. */
const OF_JSON = "server/auth/read-jwt.ts";

const textOf = (beginning: string, repeated: string, { ending, size }: { ending: string; size: number }): string =>
  beginning + repeated.repeat(Math.ceil(size / repeated.length)) + ending;

/** The least of some tries: what else the machine does only makes it longer. Milliseconds. */
function timeOf(regex: RegExp, text: string, tries = 3): number {
  let least = Infinity;
  for (let left = tries; left > 0; left--) {
    const begun = performance.now();
    // As the code does with those that look for all: what comes after a match counts too.
    if (regex.global) text.replace(regex, "");
    else regex.test(text);
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}

const SCREEN = 1_500;
/** A quadratic one needs some milliseconds for so many characters, a linear one some microseconds. */
const SUSPICIOUS_MS = 0.4;
const MOST = 65_536;
/** A quadratic one needs seconds. */
const LIMIT_MS = 200;

/** The texts that take too long. */
function slowTexts({ file, regex }: Found): readonly string[] {
  const slow: string[] = [];
  const most = MOST_IN[file] ?? MOST;
  for (const beginning of regex.source.startsWith("^") ? BEGINNINGS : ANYWHERE)
    for (const repeated of REPEATED)
      for (const ending of ENDINGS) {
        const text = (size: number): string => {
          const plain = textOf(beginning, repeated, { ending, size });
          return file === OF_JSON ? JSON.stringify({ [plain]: plain }) : plain;
        };
        const screened = text(Math.min(SCREEN, most));
        if (timeOf(regex, screened, 1) < SUSPICIOUS_MS || timeOf(regex, screened) < SUSPICIOUS_MS) continue;
        for (let size = Math.min(SCREEN, most); ; size = Math.min(2 * size, most)) {
          const ms = timeOf(regex, text(size), 2);
          if (ms > LIMIT_MS) {
            slow.push(
              `${file} ${String(regex)}: ${Math.round(ms)} ms for ${size} characters, ${JSON.stringify([beginning, repeated, ending])}`,
            );
            return slow;
          }
          if (size >= most) break;
        }
      }
  return slow;
}

describe("X23: regular expressions", () => {
  const all = regexes();

  test("X23: are found", () => {
    expect(all.length).toBeGreaterThan(60);
  });

  test("X23: one that takes long is noticed", () => {
    expect(slowTexts({ file: "", regex: /^a\s*;?\s*$/ })).toHaveLength(1);
    expect(slowTexts({ file: "", regex: /\d+x/g })).toHaveLength(1);
    expect(slowTexts({ file: "", regex: /^a\s*(?:;\s*)?$/ })).toEqual([]);
  });

  test("X23: none takes more than a moment for 64 kB of what it likes least", { timeout: 120_000 }, () => {
    expect(all.flatMap(slowTexts)).toEqual([]);
  });
});
