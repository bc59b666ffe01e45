/** Two upgrades side by side: what took longer this time, what is new, what is gone. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import type { UpgradeProgress } from "../../../src/model/upgrade.ts";
import { compareUpgrades, type Comparison } from "../../../src/view/upgrade/compare.ts";
import { dateText } from "../../../src/view/text/duration.ts";
import { safeText } from "../../../src/view/text/safe-text.ts";
import { STATUS_WORDS } from "../../../src/view/text/status-words.ts";
import { now } from "../now.ts";
import { StatusMark } from "../parts/status-mark.tsx";
import { compareHref, navigate, upgradeHref } from "../router.ts";
import { settings } from "../settings.ts";
import { Shell } from "../shell.tsx";
import "../style/compare.css";
import { createCompareStore, type CompareStore, type Side } from "./compare-store.ts";
import { CompareTable } from "./compare-table.tsx";

export interface ComparePageProps {
  /** The upgrade that is compared. */
  readonly a: string | undefined;
  /** What it is compared with; the newest earlier one of its cluster when left out. */
  readonly b: string | undefined;
}

export function ComparePage({ a, b }: ComparePageProps): ComponentChild {
  return (
    <Shell trail={<span>Compare</span>}>
      <div class="compare">
        <h1>Compare upgrades</h1>
        {a === undefined ? <Missing /> : <Compared key={`${a} ${b}`} laterId={a} earlierId={b} />}
      </div>
    </Shell>
  );
}

function Missing(): ComponentChild {
  return (
    <p class="notice tone-quiet">
      The address names no upgrade. Open one in the <a href="/">list of upgrades</a> and choose “Compare” there.
    </p>
  );
}

function Compared({
  laterId,
  earlierId,
}: {
  readonly laterId: string;
  readonly earlierId: string | undefined;
}): ComponentChild {
  const store = useMemo(() => createCompareStore(laterId, earlierId), [laterId, earlierId]);
  useEffect(() => store.close, [store]);
  const [later, earlier] = [store.later.value, store.earlier.value];
  return (
    <>
      <div class="compare-sides">
        <SideCard title="Compared with" side={earlier}>
          <Chooser store={store} laterId={laterId} earlierId={earlierId} />
        </SideCard>
        <SideCard title="This upgrade" side={later} />
      </div>
      {later.kind === "read" && earlier.kind === "read" && <Result later={later.state} earlier={earlier.state} />}
      {later.kind === "read" && earlier.kind === "none" && store.choices.value?.length === 0 && (
        <p class="notice tone-quiet">
          There is no earlier upgrade of this cluster or plan. Name any other above, or a finished run as{" "}
          <code>id@1</code>.
        </p>
      )}
    </>
  );
}

interface SideCardProps {
  readonly title: string;
  readonly side: Side;
  readonly children?: ComponentChild;
}

function SideCard({ title, side, children }: SideCardProps): ComponentChild {
  return (
    <section class="compare-side card" aria-label={title}>
      <h2 class="soft">{title}</h2>
      {side.kind === "reading" && <p class="soft">Reading …</p>}
      {side.kind === "failed" && <p class="tone-bad compare-failed">It cannot be shown: {side.reason}.</p>}
      {side.kind === "read" && <SideHead state={side.state} />}
      {children}
    </section>
  );
}

function SideHead({ state }: { readonly state: UpgradeProgress }): ComponentChild {
  const { glyph, tone, word } = STATUS_WORDS[state.status];
  return (
    <>
      <p class="compare-name">
        <a href={upgradeHref(state.upgradeId)}>{safeText(state.upgradeId)}</a>
        {state.run > 1 && <span class="soft"> run {state.run}</span>}
      </p>
      <p class="compare-facts">
        <StatusMark tone={tone} glyph={glyph} word={word} />
        <span class="soft">
          {state.startedAt === null ? "not started" : dateText(state.startedAt, settings.zone.value)}
        </span>
        <span class="soft">{safeText(state.clusterName)}</span>
      </p>
    </>
  );
}

interface ChooserProps {
  readonly store: CompareStore;
  readonly laterId: string;
  readonly earlierId: string | undefined;
}

function Chooser({ store, laterId, earlierId }: ChooserProps): ComponentChild {
  const choices = store.choices.value ?? [];
  const [typed, setTyped] = useState("");
  const go = (id: string): void => {
    if (id.trim() !== "") navigate(compareHref(laterId, id.trim()));
  };
  const chosen = earlierId ?? choices[0] ?? "";
  return (
    <form
      class="compare-chooser"
      onSubmit={(event) => {
        event.preventDefault();
        go(typed);
      }}
    >
      {choices.length > 0 && (
        <select
          class="field"
          aria-label="Earlier upgrade"
          value={chosen}
          onChange={({ currentTarget }) => go(currentTarget.value)}
        >
          {[...new Set([...choices, ...(chosen === "" ? [] : [chosen])])].map((id) => (
            <option key={id} value={id}>
              {safeText(id)}
            </option>
          ))}
        </select>
      )}
      <input
        class="field"
        aria-label="Any other upgrade, or a run as id@1"
        placeholder="another, or id@1"
        value={typed}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      <button type="submit" class="button" disabled={typed.trim() === ""}>
        Compare
      </button>
    </form>
  );
}

function Result({
  later,
  earlier,
}: {
  readonly later: UpgradeProgress;
  readonly earlier: UpgradeProgress;
}): ComponentChild {
  const comparison: Comparison = compareUpgrades(earlier, later, now.value);
  const { phases, tasks, counts, whole } = comparison;
  const [hasGroups, setGroups] = useState(false);
  const shown = hasGroups ? tasks : tasks.filter(({ hasChildren }) => !hasChildren);
  return (
    <>
      <CompareTable title="In all" rows={[whole, ...phases]} unit="Phase" />
      <CompareTable title="Tasks, what cost the most more first" rows={shown} unit="Task">
        <p class="compare-counts soft">
          {counts.both} in both, {counts.onlyLater} new, {counts.onlyEarlier} gone
        </p>
        <label class="compare-groups">
          <input
            type="checkbox"
            checked={hasGroups}
            onChange={({ currentTarget }) => setGroups(currentTarget.checked)}
          />{" "}
          Groups too
        </label>
      </CompareTable>
    </>
  );
}
