/** What the parts of an upgrade's page show, each worked out once for all of them, and only while somebody looks. */

import { computed, type ReadonlySignal } from "@preact/signals";

import type { UpgradeProgress } from "../../../src/model/upgrade.ts";
import { attentionView, type AttentionView } from "../../../src/view/upgrade/attention.ts";
import { branchesOf, type Branch } from "../../../src/view/task/branches.ts";
import { etaView, type EtaView } from "../../../src/view/estimate/eta.ts";
import { phasesView, type PhasesView } from "../../../src/view/upgrade/phases.ts";
import { isRehearsal } from "../../../src/view/upgrade/rehearsal.ts";
import { scopeGrowth, type ScopeView } from "../../../src/view/task/scope.ts";
import { workView, type WorkView } from "../../../src/view/task/task-details.ts";
import type { Moment } from "../../../src/view/task/task-view.ts";
import { headView, momentAt, type HeadView } from "../../../src/view/upgrade/upgrade-view.ts";
import type { UpgradeStore } from "../upgrade-store.ts";
import { usualOf } from "../usual-store.ts";

/** A state with all that is shown of it beside its tree. */
export interface Shown {
  readonly state: UpgradeProgress;
  readonly now: Moment;
  readonly head: HeadView;
  readonly eta: EtaView;
  readonly phases: PhasesView;
  readonly attention: AttentionView;
  readonly work: WorkView;
  readonly scope: ScopeView | null;
  readonly isRehearsal: boolean;
}

export interface PageView {
  /** Undefined until there is a state. */
  readonly shown: ReadonlySignal<Shown | undefined>;
  readonly roots: ReadonlySignal<readonly Branch[]>;
}

const NO_BRANCHES: readonly Branch[] = [];

export function pageView(store: UpgradeStore): PageView {
  const usual = usualOf(store);
  const growth = computed(() => (store.shown.value === undefined ? null : scopeGrowth(store.shown.value)));
  return {
    shown: computed(() => {
      const state = store.shown.value;
      if (state === undefined) return undefined;
      const now = momentAt(state, store.asOfMs.value, usual.value);
      // Whether its writer lives is known to the server, which records a loss; nobody else need judge it.
      const hasWriter = state.health?.state !== "lost";
      return {
        state,
        now,
        head: headView(state, { asOfMs: now.asOfMs, hasWriter }),
        eta: etaView(state, now),
        phases: phasesView(state, now.logMs),
        attention: attentionView(state, now, { hasWriter }),
        work: workView(state, now),
        scope: growth.value,
        isRehearsal: isRehearsal(state),
      };
    }),
    roots: computed(() => (store.shown.value === undefined ? NO_BRANCHES : branchesOf(store.shown.value.tasks))),
  };
}
