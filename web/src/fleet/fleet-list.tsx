/** The rows, in groups or in one list; arrow keys go from one to the next. */

import type { ComponentChild, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { FLEET_GROUPS, type FleetGroup, type FleetRow } from "../../../src/view/upgrade/fleet-view.ts";
import { useKeys } from "../keys.ts";
import { useMedia } from "../media.ts";
import { Glyph } from "../parts/glyph.tsx";
import { VirtualList } from "../parts/virtual-list.tsx";
import { FleetRowLink } from "./fleet-row.tsx";
import { GROUPS } from "./group-words.ts";

export interface FleetListProps {
  readonly rows: readonly FleetRow[];
  readonly isGrouped: boolean;
  readonly search: RefObject<HTMLInputElement | null>;
}

/** Heights of a row in px, as in fleet.css. */
const WIDE = 64;
const NARROW = 124;

export function FleetList({ rows, isGrouped, search }: FleetListProps): ComponentChild {
  const rowPx = useMedia("(width < 48rem)") ? NARROW : WIDE;
  const { root, current, setCurrent } = useRows(rows, search);
  const lists = isGrouped ? groupsOf(rows) : [{ group: undefined, from: 0, rows }];
  return (
    <div ref={root} class="fleet">
      {lists.map(({ group, from, rows: part }) => (
        <section key={group ?? "all"} aria-label={group === undefined ? "Upgrades" : GROUPS[group].word}>
          {group !== undefined && <GroupHead group={group} count={part.length} />}
          <VirtualList
            class="card fleet-list"
            label={group === undefined ? "Upgrades" : GROUPS[group].word}
            count={part.length}
            rowPx={rowPx}
            keyOf={(index) => (part[index] as FleetRow).upgradeId}
            kept={current - from}
            render={(index) => {
              const row = part[index] as FleetRow;
              const onFocus = (): void => setCurrent(row.upgradeId);
              return <FleetRowLink row={row} isCurrent={from + index === current} onFocus={onFocus} />;
            }}
          />
        </section>
      ))}
    </div>
  );
}

function groupsOf(rows: readonly FleetRow[]) {
  let from = 0;
  return FLEET_GROUPS.flatMap((group) => {
    const part = rows.filter((row) => row.group === group);
    const list = { group, from, rows: part };
    from += part.length;
    return part.length === 0 ? [] : [list];
  });
}

function GroupHead({ group, count }: { readonly group: FleetGroup; readonly count: number }): ComponentChild {
  const { word, glyph, tone } = GROUPS[group];
  return (
    <h2 class={`fleet-head tone-${tone}`}>
      <Glyph glyph={glyph} />
      <span>
        {word} <span class="faint">{count}</span>
      </span>
    </h2>
  );
}

/** The row that the keys are at: by its id, because rows move. */
function useRows(rows: readonly FleetRow[], search: RefObject<HTMLInputElement | null>) {
  const root = useRef<HTMLDivElement>(null);
  const [currentId, setCurrent] = useState<string | undefined>(undefined);
  /** Which of the moves by key the focus has followed. */
  const [move, setMove] = useState(0);
  const followed = useRef(0);
  const current = Math.max(
    0,
    rows.findIndex(({ upgradeId }) => upgradeId === currentId),
  );
  useLayoutEffect(() => {
    if (move === followed.current) return;
    followed.current = move;
    const link = root.current?.querySelector<HTMLElement>("[data-current]");
    link?.focus({ preventScroll: true });
    link?.scrollIntoView({ block: "nearest" });
  }, [move]);
  const go = (index: number): void => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (row === undefined) return;
    setCurrent(row.upgradeId);
    setMove((before) => before + 1);
  };
  const isInside = (): boolean => root.current?.contains(document.activeElement) === true;
  useKeys({
    "/": () => search.current?.focus(),
    ArrowDown: () => go(isInside() ? current + 1 : current),
    ArrowUp: () => go(isInside() ? current - 1 : current),
    Home: () => go(0),
    End: () => go(rows.length - 1),
    Escape: () => search.current?.blur(),
  });
  return { root, current, setCurrent };
}
