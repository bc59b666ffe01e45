/** Finding words in text, whatever their case. No patterns: what is typed is what is looked for, and costs no more than reading it. */

/** What is typed beyond either is left out. */
const MAX_QUERY = 200;
const MAX_WORDS = 8;

/** A stretch of a text in which a word was found, or in which none was. */
interface Piece {
  readonly text: string;
  readonly isFound: boolean;
}

export interface Finder {
  readonly isEmpty: boolean;
  /** True if all the words are in the text. */
  matches(text: string): boolean;
  /** The text in pieces, those with a word marked. */
  pieces(text: string): readonly Piece[];
}

/** Looks for the words of a query. */
export function finder(query: string): Finder {
  const words = folded(query.slice(0, MAX_QUERY))
    .split(" ")
    .filter((word) => word !== "")
    .slice(0, MAX_WORDS);
  return {
    isEmpty: words.length === 0,
    matches: (text) => {
      if (words.length === 0) return true;
      const plain = folded(text);
      return words.every((word) => plain.includes(word));
    },
    pieces: (text) => cut(text, words),
  };
}

/** Lower case, unit for unit, so that places in it are places in the text. */
function folded(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (char) => (char.toLowerCase().length === char.length ? char.toLowerCase() : char)).join("");
}

function cut(text: string, words: readonly string[]): readonly Piece[] {
  const plain = folded(text);
  const pieces: Piece[] = [];
  let from = 0;
  const next = words.map((word) => plain.indexOf(word));
  for (;;) {
    let first = -1;
    for (const [index, at] of next.entries()) {
      const word = words[index] as string;
      // A place that another word has passed is looked for again behind it.
      if (at !== -1 && at < from) next[index] = plain.indexOf(word, from);
      const place = next[index] as number;
      if (place !== -1 && (first === -1 || place < (next[first] as number))) first = index;
    }
    if (first === -1) break;
    const at = next[first] as number;
    const end = at + (words[first] as string).length;
    if (at > from) pieces.push({ text: text.slice(from, at), isFound: false });
    pieces.push({ text: text.slice(at, end), isFound: true });
    from = end;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), isFound: false });
  return pieces;
}
