/**
 * Counted steps in plain output: `[3/7] RUN npm ci`, `Step 3 of 7: drain`, `3 of 5 nodes updated`.
 *
 * Two numbers with a slash are more often a date, a path or a version than progress, and a wrong number is worse than none. So
 * they count only in brackets, after a word such as "step", or before a thing that is counted, such as "nodes".
 */

import type { Observation, OutputLine, Source } from "./observation.ts";

const PAIR = String.raw`(\d{1,6})\s*(?:\/|\s(?:out\s)?of\s)\s*(\d{1,6})`;

/** `[3/7]`, `[builder 3/7]`, `[3 of 7]`: the third is under way. */
const IN_BRACKETS = new RegExp(String.raw`(?:^|[\s#>:])\[\s*(?:([A-Za-z][\w.+-]{0,40})\s+)?${PAIR}\s*\](?=$|[\s:.,-])`);

/** `(3/7)`, first or last in the line. */
const IN_PARENTHESES = new RegExp(String.raw`^\s*\(${PAIR}\)\s|\s\(${PAIR}\)\s*$`);

const PARTS = "step|stage|phase|task|part";

const THINGS =
  "node|pod|replica|host|machine|instance|server|worker|broker|member|cluster|nodegroup|node group|control plane|region|zone|shard|partition|volume|disk|" +
  "package|crate|dependency|module|plugin|addon|add-on|file|object|item|record|row|table|document|chunk|block|batch|layer|image|chart|release|" +
  "resource|operator|component|service|deployment|target|job|test|suite|migration|update|upgrade|wave|round|vm|container|playbook|role|play|" +
  "step|stage|phase|task|part";

const PLURALS = THINGS.replaceAll(
  /[a-z -]+/g,
  (word) => `${word.endsWith("y") && word !== "play" ? `${word.slice(0, -1)}ies` : `${word}(?:e?s)`}`,
);

/** `Step 3/7`, `node 3 of 5`: the third is under way. */
const AFTER_WORD = new RegExp(String.raw`\b(${THINGS})\s*#?${PAIR}(?![\w/.%-])`, "i");

/** `3/5 nodes`, `3 of 5 new replicas`: three are done. */
const BEFORE_THING = new RegExp(String.raw`(?<![\w./:#-])${PAIR}\s+(?:[a-z][\w-]*\s+){0,2}?(${PLURALS})\b`, "i");

/** Beside these the count is not of what is done, or the line is about trying again. */
const NOT_DONE =
  /\b(?:fail(?:ed|s|ing|ure|ures)?|errors?|remain(?:s|ing)?|left|pending|unavailable|not ready|notready|unready|unhealthy|missing|lost|down|skipp(?:ed|ing)|retry|retrying|retries|attempts?|try|tries|waiting (?:for|on) \d)\b/i;

/** What every form below has; most lines have not. */
const TWO_NUMBERS = /\d\s*(?:\/|of\b|out of\b)\s*\d/;
const GERUND_BEFORE = /\b[a-z]{3,}ing\s+$/i;
const CLOCK = /^\s*\d{1,2}:\d{2}/;
const MAX_STEPS = 1_000_000;

interface Counted {
  readonly number: number;
  readonly of: number;
}

function counted(number: string | undefined, of: string | undefined): Counted | undefined {
  const pair = { number: Number(number), of: Number(of) };
  return pair.of >= 2 && pair.of <= MAX_STEPS && pair.number <= pair.of ? pair : undefined;
}

/** What a line says of counted steps; undefined when it says nothing that is surely so. */
export function findSteps({ text, kind }: OutputLine): Observation | undefined {
  if (text.length > 400 || !TWO_NUMBERS.test(text) || NOT_DONE.test(text)) return undefined;
  // An unfinished line may end in the middle of a number.
  const whole = kind === "partial" ? text.replace(/\d+\s*$/, "") : text;
  return stageInBrackets(whole) ?? stageInParentheses(whole) ?? numberAfterWord(whole) ?? countOfThings(whole);
}

function stageInBrackets(text: string): Observation | undefined {
  const match = IN_BRACKETS.exec(text);
  const pair = match && counted(match[2], match[3]);
  if (!match || !pair || pair.number === 0) return undefined;
  const before = text.slice(0, match.index + match[0].indexOf("["));
  const after = text.slice(match.index + match[0].length);
  // A date in brackets is followed by a time.
  if (CLOCK.test(after)) return undefined;
  return staged(match[1] ?? "", pair, after.replace(/^[\s:.,-]+/, "").trim() || before.trim());
}

function stageInParentheses(text: string): Observation | undefined {
  const match = IN_PARENTHESES.exec(text);
  const pair = match && counted(match[1] ?? match[3], match[2] ?? match[4]);
  // Beside a percentage the numbers are its own, and the percentage says it better.
  if (!match || !pair || pair.number === 0 || text.includes("%")) return undefined;
  return staged("", pair, (text.slice(0, match.index) + text.slice(match.index + match[0].length)).trim());
}

function numberAfterWord(text: string): Observation | undefined {
  const match = AFTER_WORD.exec(text);
  const pair = match && counted(match[2], match[3]);
  if (!match || !pair || pair.number === 0) return undefined;
  const word = (match[1] as string).toLowerCase();
  if (PARTS.split("|").includes(word)) {
    const after = text.slice(match.index + match[0].length).replace(/^[\s:.,)\]-]+/, "");
    return staged("", pair, after.trim() || text.trim());
  }
  return { completedSteps: pair.number - 1, totalSteps: pair.of, unit: plural(word), message: text.trim() };
}

function countOfThings(text: string): Observation | undefined {
  const match = BEFORE_THING.exec(text);
  const pair = match && counted(match[1], match[2]);
  if (!match || !pair) return undefined;
  const isUnderWay = pair.number > 0 && GERUND_BEFORE.test(text.slice(0, match.index));
  const completedSteps = isUnderWay ? pair.number - 1 : pair.number;
  return { completedSteps, totalSteps: pair.of, unit: (match[3] as string).toLowerCase(), message: text.trim() };
}

const plural = (word: string): string =>
  word.endsWith("y") && word !== "play"
    ? `${word.slice(0, -1)}ies`
    : /(?:s|ch|x)$/.test(word)
      ? `${word}es`
      : `${word}s`;

const staged = (series: string, { number, of }: Counted, message: string): Observation => ({
  stage: { series, number, of },
  message,
});

/** `[n/m]` and `n of m things`, which any command may print. */
export const steps: Source = {
  name: "steps",
  strength: 1,
  begin: () => ({
    line(line) {
      const observation = findSteps(line);
      return observation === undefined ? [] : [observation];
    },
  }),
};
