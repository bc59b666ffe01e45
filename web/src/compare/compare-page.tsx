/** Two upgrades side by side: what took longer this time, what is new, what is gone. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import type { ComparedPair, ComparedUpgrade } from "../../../src/view/upgrade/compare.ts";
import { dateText } from "../../../src/view/text/duration.ts";
import { safeText } from "../../../src/view/text/safe-text.ts";
import { STATUS_WORDS } from "../../../src/view/text/status-words.ts";
import { StatusMark } from "../parts/status-mark.tsx";
import { compareHref, navigate, upgradeHref } from "../router.ts";
import { settings } from "../settings.ts";
import { Shell, type ShellProps } from "../shell.tsx";
import "../style/compare.css";
import { createCompareStore } from "./compare-store.ts";
import { CompareTable } from "./compare-table.tsx";

export interface ComparePageProps {
  /** The upgrade that is compared. */
  readonly a: string | undefined;
  /** What it is compared with; the newest earlier one of its cluster when left out. */
  readonly b: string | undefined;
}

export function ComparePage({ a, b }: ComparePageProps): ComponentChild {
  if (a !== undefined) return <Compared key={`${a} ${b}`} laterId={a} earlierId={b} />;
  return (
    <Page>
      <Missing />
    </Page>
  );
}

function Page({ connection, children }: Pick<ShellProps, "connection" | "children">): ComponentChild {
  return (
    <Shell trail={<span>Compare</span>} connection={connection}>
      <div class="compare">
        <h1>Compare upgrades</h1>
        {children}
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

interface ComparedProps {
  readonly laterId: string;
  readonly earlierId: string | undefined;
}

function Compared({ laterId, earlierId }: ComparedProps): ComponentChild {
  const store = useMemo(() => createCompareStore(laterId, earlierId), [laterId, earlierId]);
  useEffect(() => store.close, [store]);
  const compared = store.compared.value;
  const pair = compared.kind === "read" ? compared.pair : undefined;
  return (
    <Page connection={store.connection}>
      <div class="compare-sides">
        <section class="compare-side card" aria-label="Compared with">
          <h2 class="soft">Compared with</h2>
          {pair?.earlier && <SideHead side={pair.earlier} />}
          <Chooser choices={pair?.choices ?? []} laterId={laterId} earlierId={earlierId} />
        </section>
        <section class="compare-side card" aria-label="This upgrade">
          <h2 class="soft">This upgrade</h2>
          {pair && <SideHead side={pair.later} />}
        </section>
      </div>
      {compared.kind === "reading" && <p class="soft">Reading …</p>}
      {compared.kind === "failed" && (
        <p class="notice tone-bad compare-failed">They cannot be compared: {safeText(compared.reason)}.</p>
      )}
      {pair && <Result pair={pair} />}
    </Page>
  );
}

function SideHead({ side }: { readonly side: ComparedUpgrade }): ComponentChild {
  return (
    <>
      <p class="compare-name">
        <a href={upgradeHref(side.upgradeId)}>{safeText(side.upgradeId)}</a>
        {side.run > 1 && <span class="soft"> run {side.run}</span>}
      </p>
      <p class="compare-facts">
        <StatusMark {...STATUS_WORDS[side.status]} />
        <span class="soft">
          {side.startedAt === null ? "not started" : dateText(side.startedAt, settings.zone.value)}
        </span>
        <span class="soft">{safeText(side.clusterName)}</span>
      </p>
    </>
  );
}

interface ChooserProps extends ComparedProps {
  readonly choices: readonly string[];
}

function Chooser({ choices, laterId, earlierId }: ChooserProps): ComponentChild {
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

function Result({ pair: { whole, phases, tasks, counts } }: { readonly pair: ComparedPair }): ComponentChild {
  const [hasGroups, setGroups] = useState(false);
  if (whole === null) {
    return (
      <p class="notice tone-quiet">
        There is no earlier upgrade of this cluster or plan. Name any other above, or a finished run as{" "}
        <code>id@1</code>.
      </p>
    );
  }
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
