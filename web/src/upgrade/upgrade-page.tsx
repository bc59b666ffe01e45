/** The page of one upgrade: what it comes to on top, then what asks for somebody, then all of it. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import { safeText } from "../../../src/view/text/safe-text.ts";
import { HEALTH_TONES, STATUS_WORDS } from "../../../src/view/text/status-words.ts";
import type { HeadView } from "../../../src/view/upgrade/upgrade-view.ts";
import { announce } from "../announcer.tsx";
import { EndNotice } from "../parts/end-notice.tsx";
import { Icon } from "../parts/icon.tsx";
import { session } from "../session.ts";
import { Shell } from "../shell.tsx";
import { createUpgradeStore, type UpgradeStore } from "../upgrade-store.ts";
import { UpgradeTab } from "../upgrade-tab.tsx";
import { Attention } from "./attention.tsx";
import { ExportMenu } from "./export-menu.tsx";
import { Head } from "./head.tsx";
import { NoUpgrade } from "./no-upgrade.tsx";
import { pageView, type PageView, type Shown } from "./page-view.ts";
import { Panes } from "./panes.tsx";
import { Phases } from "./phases.tsx";
import { ShareDialog } from "./share-dialog.tsx";
import { TimeTravel } from "./time-travel.tsx";
import { Work } from "./work.tsx";
import "../style/upgrade-page.css";

export function UpgradePage({ upgradeId }: { readonly upgradeId: string }): ComponentChild {
  const store = useMemo(() => createUpgradeStore(upgradeId), [upgradeId]);
  const view = useMemo(() => pageView(store), [store]);
  useEffect(() => store.close, [store]);
  const name = safeText(upgradeId);
  return (
    <Shell
      connection={store.connection}
      trail={
        <span class="ellipsis" title={name}>
          {name}
        </span>
      }
    >
      <UpgradeTab store={store} />
      <Content store={store} view={view} />
    </Shell>
  );
}

interface ContentProps {
  readonly store: UpgradeStore;
  readonly view: PageView;
}

function Content({ store, view }: ContentProps): ComponentChild {
  const shown = view.shown.value;
  const { code } = store.connection.value;
  // What was read before the session ended is not to be looked at any longer.
  if (code === "UNAUTHENTICATED" || code === "TOKEN_EXPIRED") return <NoUpgrade store={store} />;
  if (shown === undefined)
    return store.live.value === undefined ? <NoUpgrade store={store} /> : <TimeTravel store={store} />;
  return (
    <div class="upgrade">
      <Head shown={shown} actions={<Actions store={store} />} />
      <Phases phases={shown.phases} />
      <TimeTravel store={store} />
      <Attention attention={shown.attention} />
      <Work work={shown.work} />
      <Panes store={store} view={view} shown={shown} />
      <Announced shown={shown} />
    </div>
  );
}

function Actions({ store }: { readonly store: UpgradeStore }): ComponentChild {
  const [isSharing, setSharing] = useState(false);
  return (
    <>
      {!session.value.isShared && (
        <button type="button" class="button" onClick={() => setSharing(true)}>
          <Icon name="share" /> Share
        </button>
      )}
      {store.live.value?.completedAt === null && <EndNotice upgradeId={store.upgradeId} />}
      <ExportMenu upgradeId={store.upgradeId} />
      {isSharing && <ShareDialog upgradeId={store.upgradeId} onClose={() => setSharing(false)} />}
    </>
  );
}

/** Says changes of the whole to who cannot see them. */
function Announced({ shown: { head, attention } }: { readonly shown: Shown }): ComponentChild {
  const said = saidOf(head, attention.items.length + attention.more);
  useEffect(() => announce(said), [said]);
  return null;
}

function saidOf({ status, phase, health }: HeadView, exceptions: number): string {
  return [
    STATUS_WORDS[status].word,
    ...(phase === null ? [] : [phase]),
    ...(health === null || HEALTH_TONES[health.state] === "good" ? [] : [health.state]),
    ...(exceptions === 0 ? [] : [`${exceptions} ${exceptions === 1 ? "thing needs" : "things need"} attention`]),
  ].join(", ");
}
