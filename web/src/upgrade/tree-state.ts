/** What the reader has done to the task tree: opened, closed, looked for; and the rows that come of it. */

import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";

import type { Branch } from "../../../src/view/task/branches.ts";
import {
  choicesToSee,
  isFiltering,
  openRows,
  taskKey,
  type OpenRow,
  type TreeChoices,
  type TreeFilter,
} from "../../../src/view/task/open-rows.ts";
import { STATUS_WORDS, type ShownStatus } from "../../../src/view/text/status-words.ts";
import { currentAddress, setQuery } from "../router.ts";

export interface TreeState {
  readonly rows: ReadonlySignal<readonly OpenRow[]>;
  readonly filter: ReadonlySignal<TreeFilter>;
  readonly isFiltered: ReadonlySignal<boolean>;
  /** The key of the row that the keyboard is on. */
  readonly active: Signal<string | undefined>;
  /** The key of a row that should be brought into view; the tree sets it back. */
  readonly wanted: Signal<string | undefined>;
  setOpen(row: OpenRow, isOpen: boolean): void;
  /** Opens all that the task stands in and brings it into view. */
  reveal(taskId: string): void;
  setText(text: string): void;
  toggleStatus(status: ShownStatus): void;
  clear(): void;
}

/** The filter is part of the address: `?find=<words>&status=failed,waiting`. */
function filterInAddress({ searchParams }: URL): TreeFilter {
  const named = (searchParams.get("status") ?? "").split(",");
  const statuses = (Object.keys(STATUS_WORDS) as ShownStatus[]).filter((status) => named.includes(status));
  return { text: searchParams.get("find") ?? "", statuses: new Set(statuses) };
}

export function treeState(roots: ReadonlySignal<readonly Branch[]>): TreeState {
  const choices = signal<TreeChoices>(new Map());
  const asked = computed(
    () =>
      `${currentAddress.value.searchParams.get("find") ?? ""}\n${currentAddress.value.searchParams.get("status") ?? ""}`,
  );
  // Other parts of the address change while nothing is looked for anew.
  const filter = computed(() => {
    void asked.value;
    return filterInAddress(currentAddress.peek());
  });
  const wanted = signal<string | undefined>(undefined);
  const active = signal<string | undefined>(undefined);
  return {
    rows: computed(() => openRows(roots.value, { choices: choices.value, filter: filter.value })),
    filter,
    isFiltered: computed(() => isFiltering(filter.value)),
    active,
    wanted,
    setOpen: ({ key }, isOpen) => (choices.value = new Map(choices.peek()).set(key, isOpen)),
    reveal: (taskId) => {
      choices.value = choicesToSee(roots.peek(), taskId, choices.peek());
      active.value = taskKey(taskId);
      wanted.value = taskKey(taskId);
    },
    setText: (text) => setQuery({ find: text }),
    toggleStatus: (status) => {
      const statuses = new Set(filter.peek().statuses);
      if (!statuses.delete(status)) statuses.add(status);
      setQuery({ status: [...statuses].join(",") });
    },
    clear: () => setQuery({ find: undefined, status: undefined }),
  };
}
