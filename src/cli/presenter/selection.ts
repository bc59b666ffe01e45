/**
 * One row among many that is selected, and the part of them that is in view.
 *
 * Rows come, go and change places while somebody looks. What is selected stays selected, and stays on its line of the window as
 * long as there are rows to fill it; when it is gone, what stands in its place is.
 */

export interface Viewport {
  /** The place of the first row in view, and how many are. */
  readonly top: number;
  readonly count: number;
  /** The place of the selected row. */
  readonly selected: number;
  /** Rows out of view. */
  readonly above: number;
  readonly below: number;
}

export class Selection {
  /** The key of the selected row. */
  key: string | undefined;
  #index = 0;
  /** The line of the window that the selected row stands on. */
  #line = 0;
  /** Rows in view when it was last drawn: how far a page goes. */
  #page = 1;

  /** The place of the selected row among these; -1 when there are none. */
  find(keys: readonly string[]): number {
    if (keys.length === 0) return -1;
    const index = this.key === undefined ? -1 : keys.indexOf(this.key);
    this.#index = index >= 0 ? index : Math.min(this.#index, keys.length - 1);
    this.key = keys[this.#index];
    return this.#index;
  }

  select(keys: readonly string[], index: number): void {
    const from = this.find(keys);
    if (from < 0) return;
    this.#index = Math.max(0, Math.min(keys.length - 1, index));
    this.key = keys[this.#index];
    this.#line += this.#index - from;
  }

  /** Moves by rows; a page is as many as are in view. */
  move(keys: readonly string[], by: { readonly rows?: number; readonly pages?: number }): void {
    this.select(keys, this.find(keys) + (by.rows ?? 0) + (by.pages ?? 0) * Math.max(1, this.#page - 1));
  }

  /** What is in view in `lines` lines; one of them is left free for what is not, where that is any. */
  view(keys: readonly string[], lines: number): Viewport {
    const selected = this.find(keys);
    const count = keys.length <= lines ? keys.length : Math.max(1, lines - 1);
    const line = Math.max(0, Math.min(count - 1, this.#line));
    const top = Math.max(0, Math.min(keys.length - count, selected - line));
    this.#line = selected - top;
    this.#page = count;
    return { top, count, selected, above: top, below: keys.length - top - count };
  }
}
