/** Parts of a page of which one is shown, as the WAI-ARIA authoring practices have it: the arrows choose, Tab goes on. */

import type { ComponentChild, ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface TabsProps<Tab extends string> {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly names: Readonly<Record<Tab, string>>;
  readonly chosen: Tab;
  readonly onChoose: (tab: Tab) => void;
  /** The part that is shown. */
  readonly children: ComponentChildren;
}

export function Tabs<Tab extends string>(props: TabsProps<Tab>): ComponentChild {
  const { label, tabs, names, chosen, onChoose, children } = props;
  const id = useId();
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = tabs[nextPlace(event.key, tabs.indexOf(chosen), tabs.length)];
    if (next === undefined) return;
    event.preventDefault();
    onChoose(next);
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <section class="tabs" aria-label={label}>
      <div class="tabs-list" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab}
            type="button"
            role="tab"
            class="tab"
            id={`${id}-${tab}`}
            data-tab={tab}
            aria-selected={tab === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={tab === chosen ? 0 : -1}
            onClick={() => onChoose(tab)}
          >
            {names[tab]}
          </button>
        ))}
      </div>
      <div class="tabs-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`}>
        {children}
      </div>
    </section>
  );
}

function nextPlace(key: string, at: number, count: number): number {
  if (key === "ArrowRight") return (at + 1) % count;
  if (key === "ArrowLeft") return (at + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : -1;
}
