/**
 * Keeps the documents true: `npm run docs:check`, or `npm run docs:check -- --write` to copy the examples in.
 *
 * A line `<!-- example: examples/quick.ts#first -->` before a fenced block means: this block is the text between `// #region first`
 * and `// #endregion` of that file, or the same behind `#` in a shell script (without `#first`: the whole file). Every relative link must lead to a file.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const PAGES = ["*.md", "docs/**/*.md"];
const EXAMPLE = /^<!-- example: ([^\s#]+)(?:#([\w-]+))? -->\n+(```\w*\n)([\s\S]*?)^```$/gm;
const MARKER = /^<!-- example:/gm;
const LINK = /\]\(([^)\s]+)(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)/gm;
const REGION = /^\s*(?:\/\/|#) #(?:end)?region\b.*$\n?/gm;

/** One fault of one page, as it is printed. */
type Fault = string;

const unindent = (text: string): string => {
  const depths = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.search(/\S/));
  const depth = Math.min(...depths);
  return text
    .split("\n")
    .map((line) => line.slice(depth))
    .join("\n");
};

/** The text of a region, or of the whole file, without the region marks; undefined if there is no such region. */
const readRegion = (source: string, region: string | undefined): string | undefined => {
  if (region === undefined) return `${source.replace(REGION, "").trim()}\n`;
  const lines = source.split("\n");
  const start = lines.findIndex((line) => new Set([`// #region ${region}`, `# #region ${region}`]).has(line.trim()));
  if (start === -1) return undefined;
  let depth = 1;
  const length = lines.slice(start + 1).findIndex((line) => {
    if (/^\s*(?:\/\/|#) #region\b/.test(line)) depth += 1;
    if (/^\s*(?:\/\/|#) #endregion\b/.test(line)) depth -= 1;
    return depth === 0;
  });
  if (length === -1) return undefined;
  const body = lines.slice(start + 1, start + 1 + length).join("\n");
  return `${unindent(body.replace(REGION, "")).trim()}\n`;
};

/** Puts the examples into a page. Returns its new text and what could not be done. */
const fillExamples = (root: string, page: string, text: string): { text: string; faults: Fault[] } => {
  const faults: Fault[] = [];
  let found = 0;
  const filled = text.replace(EXAMPLE, (block, ...groups: [string, string | undefined, string, string]) => {
    const [path, region, fence, body] = groups;
    found += 1;
    const file = join(root, path);
    const wanted = existsSync(file) ? readRegion(readFileSync(file, "utf8"), region) : undefined;
    if (wanted === undefined) faults.push(`${page}: no example ${path}${region === undefined ? "" : `#${region}`}`);
    return wanted === undefined ? block : block.replace(`${fence}${body}`, () => `${fence}${wanted}`);
  });
  const marked = text.match(MARKER)?.length ?? 0;
  if (marked !== found)
    faults.push(`${page}: ${marked - found} of ${marked} example marks stand before no fenced block`);
  return { text: filled, faults };
};

/** Relative links of a page that lead nowhere. Links inside code are not links. */
const deadLinks = (root: string, page: string, text: string): Fault[] => {
  const prose = text.replace(/^(```+|~~~+)[\s\S]*?^\1/gm, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(LINK)]
    .map((match) => match[1] ?? match[2] ?? "")
    .filter((target) => !/^([a-z][a-z+.-]*:|#|\/\/)/i.test(target))
    .filter((target) => !existsSync(join(root, dirname(page), decodeURI(target.replace(/[#?].*$/, "")))))
    .map((target) => `${page}: the link ${target} leads nowhere`);
};

/** Checks all pages of `root`; with `write`, brings the examples up to date first. */
export const checkDocs = (root: string, write: boolean): { pages: number; faults: Fault[] } => {
  const pages = globSync(PAGES, { cwd: root }).sort();
  const faults = pages.flatMap((page) => {
    const before = readFileSync(join(root, page), "utf8");
    const after = fillExamples(root, page, before);
    const isStale = after.text !== before;
    if (isStale && write) writeFileSync(join(root, page), after.text);
    const stale =
      isStale && !write ? [`${page}: an example differs from its file; run \`npm run docs:check -- --write\``] : [];
    return [...after.faults, ...stale, ...deadLinks(root, page, before)];
  });
  return { pages: pages.length, faults };
};

if (import.meta.main) {
  const { pages, faults } = checkDocs(resolve(import.meta.dirname, ".."), process.argv.includes("--write"));
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  process.stdout.write(`docs: ${pages} pages, ${faults.length} faults\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
