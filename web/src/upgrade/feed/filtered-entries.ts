/** The entries of a growing list that a filter wants: each is looked at once. */

import { feedTest, type FeedEntry, type FeedFilter } from "../../../../src/view/log/feed.ts";

export class FilteredEntries {
  readonly #isWanted: (entry: FeedEntry) => boolean;
  #found: FeedEntry[] = [];
  #lastSeq = 0;

  constructor(filter: FeedFilter) {
    this.#isWanted = feedTest(filter);
  }

  /** Those of `all` that are wanted. `all` is what it was before, with some dropped at its beginning and some added at its end. */
  of(all: readonly FeedEntry[]): readonly FeedEntry[] {
    let from = all.length;
    while (from > 0 && (all[from - 1] as FeedEntry).seq > this.#lastSeq) from -= 1;
    for (let index = from; index < all.length; index += 1) {
      const entry = all[index] as FeedEntry;
      if (this.#isWanted(entry)) this.#found.push(entry);
    }
    this.#lastSeq = all.at(-1)?.seq ?? this.#lastSeq;
    const firstSeq = all[0]?.seq ?? 0;
    if ((this.#found[0]?.seq ?? firstSeq) < firstSeq) this.#found = this.#found.filter(({ seq }) => seq >= firstSeq);
    return this.#found;
  }
}
