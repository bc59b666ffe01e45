/** What the tab says of an upgrade: how far it is, and, if somebody asked for it, that it is over. */

import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { percentText } from "../../src/view/text/duration.ts";
import { safeText } from "../../src/view/text/safe-text.ts";
import { HEALTH_TONES, STATUS_WORDS, type Tone } from "../../src/view/text/status-words.ts";
import { headView, type HeadView } from "../../src/view/upgrade/upgrade-view.ts";
import { isEndNoticeWanted } from "./parts/end-notice.tsx";
import { usePageHead } from "./page-head.ts";
import type { UpgradeStore } from "./upgrade-store.ts";

/** The tab tells what is, also while the page shows what was. */
export function UpgradeTab({ store }: { readonly store: UpgradeStore }): ComponentChild {
  const state = store.live.value;
  if (state === undefined) return <NameTab upgradeId={store.upgradeId} />;
  return (
    <LiveTab head={headView(state, { asOfMs: store.liveAsOfMs.value, hasWriter: state.health?.state !== "lost" })} />
  );
}

function NameTab({ upgradeId }: { readonly upgradeId: string }): ComponentChild {
  usePageHead({ title: safeText(upgradeId), tone: "quiet" });
  return null;
}

function LiveTab({ head }: { readonly head: HeadView }): ComponentChild {
  const { upgradeId, status, hasEnded, percent } = head;
  const name = safeText(upgradeId);
  const { word, glyph } = STATUS_WORDS[status];
  usePageHead({
    title: `${hasEnded ? glyph : percent === null ? word : percentText(percent)} ${name}`,
    percent: hasEnded ? 100 : percent,
    tone: toneOf(head),
  });
  const hadEnded = useRef(hasEnded);
  useEffect(() => {
    if (hasEnded && !hadEnded.current && isEndNoticeWanted(upgradeId)) {
      const body = head.message ?? `on ${safeText(head.clusterName)}`;
      new Notification(`${name} ${word}`, { body, tag: `milepost ${upgradeId}` });
    }
    hadEnded.current = hasEnded;
  }, [hasEnded]);
  return null;
}

function toneOf({ status, health }: HeadView): Tone {
  if (health !== null && HEALTH_TONES[health.state] !== "good") return HEALTH_TONES[health.state];
  return STATUS_WORDS[status].tone;
}
