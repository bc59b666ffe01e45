/**
 * Puts what reads alike beside each other, for gzip: it finds again only what came in the 32 kB before.
 *
 * A function that is declared at the top can stand anywhere: all of them are there before the first statement runs.
 */

import { gzipSync } from "node:zlib";

import { parseAst, type Plugin } from "vite";

/** So many characters in common count as a likeness: less is in every script, more in few. */
const SEEN_CHARS = 5;
/** What more functions than this have in common tells nothing. */
const COMMON = 100;

/** What makes a function the next one. Which of them does best differs from script to script, so all are tried. */
interface Choice {
  /** How much the likeness to a function counts still, for each one that came after it. */
  readonly fading: number;
  /** How much a length counts against it: a long one has more in common with everything. */
  readonly length: number;
}

const CHOICES: readonly Choice[] = [0.99, 0.995, 0.996, 0.997].flatMap((fading) =>
  [0.85, 0.9, 0.95].map((length) => ({ fading, length })),
);

export function likeBesideLike(): Plugin {
  return {
    name: "like-beside-like",
    generateBundle: (_, files) => {
      for (const file of Object.values(files)) if (file.type === "chunk") file.code = reordered(file.code);
    },
  };
}

function reordered(code: string): string {
  const functions: string[] = [];
  const others: string[] = [];
  for (const { type, start, end } of parseAst(code).body)
    (type === "FunctionDeclaration" ? functions : others).push(code.slice(start, end));
  const orders = CHOICES.map((choice) => `${others.join("\n")}\n${chain(functions, choice).join("")}`);
  const sizes = orders.map((order) => gzipSync(order, { level: 9 }).length);
  return orders[sizes.indexOf(Math.min(...sizes))] ?? code;
}

/** The first text, then always the one that is most like those before it. */
function chain(texts: readonly string[], { fading, length }: Choice): readonly string[] {
  const pieces = texts.map(piecesOf);
  const holders = holdersOf(pieces);
  const likeness = new Float64Array(texts.length);
  const left = new Set(texts.keys());
  const order: string[] = [];
  for (
    let next: number | undefined = 0;
    next !== undefined && left.delete(next);
    next = mostAlike(left, { likeness, pieces, length })
  ) {
    order.push(texts[next] as string);
    for (const at of left) likeness[at] = (likeness[at] as number) * fading;
    for (const piece of pieces[next] as ReadonlySet<string>) {
      const having = holders.get(piece) ?? [];
      if (having.length <= COMMON)
        for (const at of having) likeness[at] = (likeness[at] as number) + having.length ** -1.5;
    }
  }
  return order;
}

function piecesOf(text: string): ReadonlySet<string> {
  return new Set(Array.from({ length: text.length }, (_, at) => text.slice(at, at + SEEN_CHARS)));
}

/** Which texts have a piece. */
function holdersOf(pieces: readonly ReadonlySet<string>[]): ReadonlyMap<string, readonly number[]> {
  const holders = new Map<string, number[]>();
  for (const [at, all] of pieces.entries())
    for (const piece of all) {
      const having = holders.get(piece);
      if (having === undefined) holders.set(piece, [at]);
      else having.push(at);
    }
  return holders;
}

interface Likeness {
  readonly likeness: Float64Array;
  readonly pieces: readonly ReadonlySet<string>[];
  readonly length: number;
}

/** Measured by its length, or the longest would always come first. */
function mostAlike(left: ReadonlySet<number>, { likeness, pieces, length }: Likeness): number | undefined {
  let best: number | undefined;
  let most = -1;
  for (const at of left) {
    const value = (likeness[at] as number) / ((pieces[at] as ReadonlySet<string>).size + 1) ** length;
    if (value > most) [best, most] = [at, value];
  }
  return best;
}
