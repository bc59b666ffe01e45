/** Items that wait for their reader: in order, none lost, and not without bound. */

import type { Feed } from "./feed.ts";

/** Beyond either the client stops receiving until its reader has taken all. */
const MAX_ITEMS = 10_000;
const MAX_CHARS = 8 * 1024 * 1024;

interface Waiting<Item> {
  readonly item: Item;
  readonly sizeChars: number;
}

interface Reader<Item> {
  resolve(result: IteratorResult<Item, undefined>): void;
  reject(error: unknown): void;
}

type End = { readonly kind: "open" } | { readonly kind: "ended" } | { readonly kind: "failed"; readonly error: Error };

export class Unread<Item> {
  readonly #feed: Pick<Feed<Item, never>, "merge" | "taken">;
  readonly #items: Waiting<Item>[] = [];
  /** Taken from the front; what lies before is gone. */
  #first = 0;
  #sizeChars = 0;
  readonly #readers: Reader<Item>[] = [];
  #end: End = { kind: "open" };
  #whenEmpty: () => void = () => undefined;

  constructor(feed: Pick<Feed<Item, never>, "merge" | "taken">) {
    this.#feed = feed;
  }

  get isFull(): boolean {
    return this.#count >= MAX_ITEMS || this.#sizeChars >= MAX_CHARS;
  }

  get #count(): number {
    return this.#items.length - this.#first;
  }

  push(item: Item, sizeChars: number): void {
    if (this.#end.kind !== "open") return;
    const reader = this.#readers.shift();
    if (reader !== undefined) return this.#give(reader, item);
    const last = this.#count > 0 ? this.#items.at(-1) : undefined;
    const merged = last && this.#feed.merge(last.item, item);
    if (last !== undefined && merged !== undefined) {
      this.#items[this.#items.length - 1] = { item: merged, sizeChars: last.sizeChars + sizeChars };
    } else this.#items.push({ item, sizeChars });
    this.#sizeChars += sizeChars;
  }

  /** The next item, as soon as there is one. */
  take(): Promise<IteratorResult<Item, undefined>> {
    return new Promise((resolve, reject) => {
      const next = this.#shift();
      if (next !== undefined) this.#give({ resolve, reject }, next.item);
      else if (this.#end.kind === "open") this.#readers.push({ resolve, reject });
      else this.#finish({ resolve, reject });
      if (this.#count === 0) this.#whenEmpty();
    });
  }

  /** Resolves when the reader has taken everything, or there is nobody to take it. */
  empty(): Promise<void> {
    if (this.#count === 0 || this.#end.kind !== "open") return Promise.resolve();
    return new Promise((resolve) => (this.#whenEmpty = resolve));
  }

  /** The reader wants no more: what waits is dropped. */
  end(): void {
    this.#end = { kind: "ended" };
    this.#items.length = this.#first = this.#sizeChars = 0;
    for (const reader of this.#readers.splice(0)) this.#finish(reader);
    this.#whenEmpty();
  }

  /** There is no more; the reader is told so with `error`, after what waits. */
  fail(error: Error): void {
    if (this.#end.kind !== "open") return;
    this.#end = { kind: "failed", error };
    for (const reader of this.#readers.splice(0)) this.#finish(reader);
  }

  #shift(): Waiting<Item> | undefined {
    if (this.#count === 0) return undefined;
    const next = this.#items[this.#first++] as Waiting<Item>;
    this.#sizeChars -= next.sizeChars;
    // Moved down now and then, not each time: taking one costs the same however many wait.
    if (this.#first * 2 >= this.#items.length) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    return next;
  }

  #give(reader: Reader<Item>, item: Item): void {
    this.#feed.taken();
    reader.resolve({ done: false, value: item });
  }

  /** An error is told once. */
  #finish(reader: Reader<Item>): void {
    const end = this.#end;
    this.#end = { kind: "ended" };
    if (end.kind === "failed") reader.reject(end.error);
    else reader.resolve({ done: true, value: undefined });
  }
}
