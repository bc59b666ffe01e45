/** Which upgrades are listed, and in which order. */

import type { ComponentChild, RefObject } from "preact";
import { useId, useState } from "preact/hooks";

import {
  FLEET_SORTS,
  type FleetGroup,
  type FleetQuery,
  type FleetSort,
  type FleetView,
} from "../../../src/view/upgrade/fleet-view.ts";
import { safeText } from "../../../src/view/text/safe-text.ts";
import { Glyph } from "../parts/glyph.tsx";
import { Icon } from "../parts/icon.tsx";
import { ask } from "./fleet-query.ts";
import { GROUPS } from "./group-words.ts";

export interface FiltersProps {
  readonly query: FleetQuery;
  readonly view: FleetView;
  readonly search: RefObject<HTMLInputElement | null>;
}

export function Filters({ query, view, search }: FiltersProps): ComponentChild {
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <div class="filters-groups" role="group" aria-label="Show">
        {(Object.keys(GROUPS) as FleetGroup[]).map((group) => (
          <GroupButton key={group} group={group} count={view.counts[group]} query={query} />
        ))}
      </div>
      <div class="filters-rest">
        <SearchField query={query} search={search} />
        <MoreFilters query={query} view={view} />
      </div>
    </form>
  );
}

function SearchField({ query, search }: Omit<FiltersProps, "view">): ComponentChild {
  return (
    <label class="filters-search">
      <span class="visually-hidden">Search</span>
      <Icon name="search" />
      <input
        ref={search}
        class="field"
        type="search"
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        value={query.search ?? ""}
        onInput={({ currentTarget }) => ask({ ...query, search: currentTarget.value })}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

/** Where there is no room for them they are behind a button. */
function MoreFilters({ query, view }: Omit<FiltersProps, "search">): ComponentChild {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <>
      <button
        type="button"
        class="button filters-toggle"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        Filter
      </button>
      <div id={id} class={`filters-more ${isOpen ? "filters-more-open" : ""}`}>
        <Select
          label="Cluster"
          value={query.clusterName}
          options={[["", "All clusters"], ...view.clusterNames.map((name) => [name, safeText(name)] as const)]}
          onChange={(clusterName) => ask({ ...query, clusterName })}
        />
        <Select
          label="Status"
          value={query.status}
          options={STATUSES}
          onChange={(status) => ask({ ...query, status })}
        />
        <Select
          label="Health"
          value={query.health}
          options={HEALTHS}
          onChange={(health) => ask({ ...query, health })}
        />
        <Select
          label="Order"
          value={query.sort}
          options={SORTS}
          onChange={(sort) => ask({ ...query, sort: FLEET_SORTS.find((known) => known === sort) })}
        />
      </div>
    </>
  );
}

type Option = readonly [value: string, words: string];

const STATUSES: readonly Option[] = [
  ["", "Any status"],
  ["attention", "Needs attention"],
  ["under_way", "Under way"],
  ["ended", "Ended"],
  ["in_progress", "Running"],
  ["waiting", "Waiting"],
  ["paused", "Paused"],
  ["not_started", "Not started"],
  ["completed", "Completed"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
];

const HEALTHS: readonly Option[] = [
  ["", "Any health"],
  ["progressing", "Progressing"],
  ["slow", "Slow"],
  ["stalled", "Stalled"],
  ["degraded", "Degraded"],
  ["lost", "Lost"],
];

const SORTS: readonly (readonly [FleetSort | "", string])[] = [
  ["", "Urgent first"],
  ["name", "By name"],
  ["cluster", "By cluster"],
  ["started", "Newest first"],
  ["percent", "Furthest first"],
  ["left", "Done soonest"],
];

interface GroupButtonProps {
  readonly group: FleetGroup;
  readonly count: number;
  readonly query: FleetQuery;
}

function GroupButton({ group, count, query }: GroupButtonProps): ComponentChild {
  const { word, glyph, tone } = GROUPS[group];
  const isPressed = query.status === group;
  return (
    <button
      type="button"
      class={`group-button tone-${count === 0 ? "quiet" : tone}`}
      aria-pressed={isPressed}
      onClick={() => ask({ ...query, status: isPressed ? undefined : group })}
    >
      <span class="group-count">{count}</span>
      <span class="group-word">
        <Glyph glyph={glyph} />
        {word}
      </span>
    </button>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly options: readonly Option[];
  readonly onChange: (value: string | undefined) => void;
}

function Select({ label, value = "", options, onChange }: SelectProps): ComponentChild {
  // An address may ask for what is not there (yet).
  const isKnown = options.some(([option]) => option === value);
  const shown = isKnown ? options : [...options, [value, safeText(value)] as const];
  return (
    <label class="filters-select">
      <span class="visually-hidden">{label}</span>
      <select class="field" value={value} onChange={({ currentTarget }) => onChange(currentTarget.value || undefined)}>
        {shown.map(([option, words]) => (
          <option key={option} value={option}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
