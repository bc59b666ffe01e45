/** A persistent vector: a tree of arrays of 32, where changing one place copies only the path to it. */

const BITS = 5;
const WIDTH = 1 << BITS;
const MASK = WIDTH - 1;

type Node<T> = readonly (Node<T> | T)[];

export class Trie<T> {
  readonly size: number;
  readonly #root: Node<T>;
  /** Bits of the index above the root's own five. */
  readonly #shift: number;

  private constructor(size: number, root: Node<T>, shift: number) {
    this.size = size;
    this.#root = root;
    this.#shift = shift;
  }

  static empty<T>(): Trie<T> {
    return new Trie<T>(0, [], 0);
  }

  static from<T>(values: readonly T[]): Trie<T> {
    let level: Node<T> = values;
    let shift = -BITS;
    do {
      level = group(level);
      shift += BITS;
    } while (level.length > 1);
    return new Trie(values.length, (level[0] ?? []) as Node<T>, Math.max(0, shift));
  }

  get(index: number): T | undefined {
    return index < 0 || index >= this.size ? undefined : this.#leaf(index)[index & MASK];
  }

  /** The array that holds the value at an index, with its neighbours. */
  #leaf(index: number): readonly T[] {
    let node = this.#root;
    for (let shift = this.#shift; shift > 0; shift -= BITS) node = node[(index >>> shift) & MASK] as Node<T>;
    return node as readonly T[];
  }

  /** This vector with another value at an index that it has. */
  set(index: number, value: T): Trie<T> {
    return new Trie(this.size, replace(this.#root, this.#shift, index, value), this.#shift);
  }

  push(value: T): Trie<T> {
    const isFull = this.size === WIDTH << this.#shift;
    const root = isFull ? [this.#root] : this.#root;
    const shift = isFull ? this.#shift + BITS : this.#shift;
    return new Trie(this.size + 1, replace(root, shift, this.size, value), shift);
  }

  /** The values by blocks of neighbours, in order. A block is the same array in every version in which none of it was changed. */
  *blocks(): Generator<readonly T[], undefined> {
    for (let start = 0; start < this.size; start += WIDTH) yield this.#leaf(start);
    return undefined;
  }

  *[Symbol.iterator](): Generator<T, undefined> {
    for (const block of this.blocks()) for (const value of block) yield value;
    return undefined;
  }
}

function replace<T>(node: Node<T>, shift: number, index: number, value: T): Node<T> {
  const copy = node.slice();
  const slot = (index >>> shift) & MASK;
  copy[slot] = shift === 0 ? value : replace((copy[slot] ?? []) as Node<T>, shift - BITS, index, value);
  return copy;
}

function group<T>(level: Node<T>): Node<T> {
  const groups: Node<T>[] = [];
  for (let start = 0; start < level.length; start += WIDTH) groups.push(level.slice(start, start + WIDTH));
  return groups;
}
