/** Looking for tasks: by words, and by status. */

import type { ComponentChild } from "preact";

import { statusesIn } from "../../../src/view/task/open-rows.ts";
import { STATUS_WORDS, type ShownStatus } from "../../../src/view/text/status-words.ts";
import { Glyph } from "../parts/glyph.tsx";
import type { TreeState } from "./tree-state.ts";

export interface TreeFilterProps {
  readonly counts: Readonly<Record<ShownStatus, number>>;
  readonly tree: TreeState;
  /** How many tasks match. */
  readonly found: number;
}

export function TreeFilter({ counts, tree, found }: TreeFilterProps): ComponentChild {
  const { text, statuses } = tree.filter.value;
  // A status that is filtered by stays there to be taken away, also when the last task has left it.
  const offered = new Set([...statusesIn(counts), ...statuses]);
  return (
    <div class="tree-filter" role="search" aria-label="Tasks">
      <input
        type="search"
        class="field"
        placeholder="Find a task"
        aria-label="Find a task by words"
        value={text}
        onInput={({ currentTarget }) => tree.setText(currentTarget.value)}
      />
      <div class="tree-statuses" role="group" aria-label="Only tasks that are">
        {[...offered].map((status) => (
          <button
            key={status}
            type="button"
            class={`chip tone-${STATUS_WORDS[status].tone}`}
            aria-pressed={statuses.has(status)}
            onClick={() => tree.toggleStatus(status)}
          >
            <Glyph glyph={STATUS_WORDS[status].glyph} />
            {STATUS_WORDS[status].word} <span class="count">{counts[status]}</span>
          </button>
        ))}
      </div>
      <p class="visually-hidden" aria-live="polite">
        {tree.isFiltered.value ? `${found} ${found === 1 ? "task matches" : "tasks match"}` : ""}
      </p>
    </div>
  );
}
