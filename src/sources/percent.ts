/**
 * Percentages in plain output: `[ 45%] Building`, `Receiving objects:  45% (450/1000)`, `##### 45.3%` drawn over itself.
 *
 * Most numbers with a percent sign are no progress (load, coverage, discounts), and a wrong number is worse than none. So a
 * line counts only when it has one percentage and its form says progress; a line that is drawn over itself already says so.
 */

import type { Observation, OutputLine, Source } from "./observation.ts";

const PERCENT = /(?<![\w.,:/+-])(\d{1,3}(?:[.,]\d{1,3})?)[ \u00a0\u202f]?%(?![\w%])/g;

/** Words beside which a percentage measures something other than progress. */
const OTHER_MEASURE =
  /\b(?:cpus?|mem|memory|ram|swap|heap|disks?|space|inodes?|usage|used|using|utili[sz]ation|load|idle|busy|free|full|battery|charge|coverage|covered|statements|branches|loss|lost|dropped|hit|hits|cache|ratio|rate|compress(?:ion|ed)|deflated|saved|savings|smaller|larger|bigger|faster|slower|reduc(?:ed|tion)|increas(?:e|ed)|decreas(?:e|ed)|similarity|match|accuracy|confidence|probability|chance|score|threshold|limit|quota|tolerance|off|discount|tax|error|errors|fail(?:ed|ing|ure|ures)?|skipped|healthy|unavailable|percentile|p\d\d|volume|opacity|zoom|width|height|margin|stddev|reading (?:database|package lists|state information)|building dependency tree)\b/i;

const PROGRESS_WORD =
  /\b(?:progress|complete|completed|completion|done|finished|transferred|uploaded|downloaded|installed|copied|processed)\b/i;
const GERUND_BEFORE =
  /(?:^|[\s.:[(])(?!(?:pending|remaining|missing|existing|running|during|warning|nothing|something|everything)\b)[a-z-]{3,}ing\b/i;
const BAR_BEFORE = /[=#█▉▊▋▌▍▎▏▓▒░■━─•>-]{3,}[\s\])|>]*$/;
const BAR_AFTER = /^\s*[[(|]?[=#█▉▊▋▌▍▎▏▓▒░■━─•>-]{2,}/;
const WHAT_IS_LEFT = /^\s*(?:remain(?:s|ing)?|left|to go)\b/i;

interface Found {
  readonly percentage: number;
  /** What stands before the number, its digits left out: tells one bar from another. */
  readonly label: string;
}

/** The percentage that a line tells; undefined when it tells none, or none that is surely progress. */
export function findPercentage({ text, kind }: OutputLine): Found | undefined {
  if (!/\d[^\w%]?%/.test(text) || text.length > 400) return undefined;
  const matches = [...text.matchAll(PERCENT)];
  const match = matches[0];
  if (match === undefined || matches.length > 1 || OTHER_MEASURE.test(text)) return undefined;
  const percentage = Number((match[1] as string).replace(",", "."));
  if (percentage > 100) return undefined;
  const before = text.slice(0, match.index);
  const after = text.slice(match.index + match[0].length);
  if (WHAT_IS_LEFT.test(after) || (kind !== "redraw" && !saysProgress(before, after))) return undefined;
  return { percentage, label: before.replaceAll(/[\d\s]+/g, " ").trim() };
}

function saysProgress(before: string, after: string): boolean {
  // First in its line, as CMake and curl-like tables have it, or alone in brackets at either end.
  if (/^\s*[[(]?\s*$/.test(before) && /^(?:\s*[\])]|\s|$)/.test(after))
    return /^\s*[\])]?\s*(?:$|[^\sa-z])/.test(after) || PROGRESS_WORD.test(after);
  if (/[[(]\s*$/.test(before) && /^\s*[\])]\s*$/.test(after)) return true;
  if (BAR_BEFORE.test(before) || BAR_AFTER.test(after)) return true;
  if (
    PROGRESS_WORD.test(before) ||
    /^\s*(?:complete|completed|done|finished|transferred|uploaded|downloaded|installed|copied|processed)\b/i.test(after)
  )
    return true;
  return GERUND_BEFORE.test(before) && /^\s*(?:$|[[(,;.|…-])/.test(after);
}

/** The words of the line; undefined when it is a bar and nothing else. */
function withoutBar(text: string): string | undefined {
  const words = text
    .replaceAll(/[=#█▉▊▋▌▍▎▏▓▒░■━─•>.-]{3,}/g, " ")
    .replaceAll(/[[(|]\s*[\])|]/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  return /\p{L}/u.test(words) ? words : undefined;
}

/** `NN%`, which any command may print. */
export const percent: Source = {
  name: "percent",
  strength: 1,
  begin() {
    let last: Found | undefined;
    return {
      line(line): readonly Observation[] {
        const found = findPercentage(line);
        if (found === undefined) return [];
        // A bar that is first seen full ("Counting objects: 100%") was a step on the way and says nothing of the command.
        const isFullAtOnce = found.percentage === 100 && last?.label !== found.label;
        last = found;
        const message = withoutBar(line.text);
        return [{ ...(!isFullAtOnce && { percentage: found.percentage }), ...(message !== undefined && { message }) }];
      },
    };
  },
};
