/** All of the upgrade, in parts to choose from: side by side where there is room, else one at a time. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo } from "preact/hooks";

import { useMedia } from "../media.ts";
import { route, setQuery, type Tab } from "../router.ts";
import type { UpgradeStore } from "../upgrade-store.ts";
import type { PageView, Shown } from "./page-view.ts";
import { EventFeed } from "./feed.tsx";
import { LogPane } from "./log.tsx";
import { Tabs } from "./tabs.tsx";
import { TaskLog } from "./task-log.tsx";
import { openTask } from "./task-link.ts";
import { TaskPanel } from "./task-panel.tsx";
import { TaskTree } from "./task-tree.tsx";
import { Timeline } from "./timeline.tsx";
import { treeState, type TreeState } from "./tree-state.ts";
import "../style/panes.css";

export interface PanesProps {
  readonly store: UpgradeStore;
  readonly view: PageView;
  readonly shown: Shown;
}

const NAMES: Readonly<Record<Tab, string>> = { tasks: "Tasks", timeline: "Timeline", events: "Events", log: "Log" };
const LEFT = ["tasks", "timeline"] as const satisfies readonly Tab[];
const RIGHT = ["events", "log"] as const satisfies readonly Tab[];
const ALL = [...LEFT, ...RIGHT];

export function Panes({ store, view, shown }: PanesProps): ComponentChild {
  const tree = useMemo(() => treeState(view.roots), [view]);
  const tab = route.value.page === "upgrade" ? route.value.tab : "tasks";
  const part = (each: Tab): ComponentChild => <Part tab={each} store={store} shown={shown} tree={tree} />;
  const isWide = useMedia("(width >= 70rem)");
  useReveal(tree);
  if (!isWide) {
    return (
      <div class="panes">
        <OpenTask store={store} shown={shown} />
        <Tabs label="Parts of the upgrade" tabs={ALL} names={NAMES} chosen={tab} onChoose={choose}>
          {part(tab)}
        </Tabs>
      </div>
    );
  }
  return <WidePanes tab={tab} part={part} panel={<OpenTask store={store} shown={shown} />} />;
}

interface WidePanesProps {
  readonly tab: Tab;
  readonly part: (tab: Tab) => ComponentChild;
  readonly panel: ComponentChild;
}

/** What the address does not name is what was chosen there last. */
const lastChosen = { left: "tasks" as Tab, right: "events" as Tab };

function WidePanes({ tab, part, panel }: WidePanesProps): ComponentChild {
  const isLeft = (LEFT as readonly Tab[]).includes(tab);
  if (isLeft) lastChosen.left = tab;
  else lastChosen.right = tab;
  const { left, right } = lastChosen;
  return (
    <div class="panes panes-wide">
      <Tabs label="Tasks and timeline" tabs={LEFT} names={NAMES} chosen={left} onChoose={choose}>
        {part(left)}
      </Tabs>
      <div class="panes-side">
        {panel}
        <Tabs label="Events and log" tabs={RIGHT} names={NAMES} chosen={right} onChoose={choose}>
          {part(right)}
        </Tabs>
      </div>
    </div>
  );
}

const choose = (tab: Tab): void => setQuery({ tab: tab === "tasks" ? undefined : tab });

interface PartProps {
  readonly tab: Tab;
  readonly store: UpgradeStore;
  readonly shown: Shown;
  readonly tree: TreeState;
}

function Part({ tab, store, shown, tree }: PartProps): ComponentChild {
  switch (tab) {
    case "tasks":
      return <TaskTree shown={shown} tree={tree} />;
    case "timeline":
      return <Timeline store={store} />;
    case "events":
      return <EventFeed store={store} />;
    case "log":
      return <LogPane store={store} />;
  }
}

function OpenTask({ store, shown }: { readonly store: UpgradeStore; readonly shown: Shown }): ComponentChild {
  const taskId = openTask();
  if (taskId === undefined) return null;
  return (
    <TaskPanel key={taskId} taskId={taskId} shown={shown}>
      <TaskLog store={store} taskId={taskId} />
    </TaskPanel>
  );
}

/** The tree shows where the task is that the address names. */
function useReveal(tree: TreeState): void {
  const taskId = openTask();
  useEffect(() => {
    if (taskId !== undefined) tree.reveal(taskId);
  }, [taskId, tree]);
}
