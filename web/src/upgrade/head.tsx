/** The whole upgrade at a glance: is it running, is it well, how far is it, when will it be done. */

import type { ComponentChild, ComponentChildren } from "preact";

import { durationText, percentText } from "../../../src/view/text/duration.ts";
import { dayTimeText, etaWords } from "../../../src/view/estimate/eta-text.ts";
import { safeText } from "../../../src/view/text/safe-text.ts";
import { HEALTH_GLYPHS, HEALTH_TONES, STATUS_WORDS } from "../../../src/view/text/status-words.ts";
import { countsText, toneOf, type HeadView } from "../../../src/view/upgrade/upgrade-view.ts";
import { Bar } from "../parts/bar.tsx";
import { StatusMark } from "../parts/status-mark.tsx";
import { settings } from "../settings.ts";
import type { Shown } from "./page-view.ts";
import "../style/upgrade-head.css";

export interface HeadProps {
  readonly shown: Shown;
  /** What can be done with the upgrade. */
  readonly actions: ComponentChildren;
}

export function Head({ shown, actions }: HeadProps): ComponentChild {
  const { head, isRehearsal } = shown;
  const words = STATUS_WORDS[head.status];
  const isRunning = head.status === "in_progress";
  return (
    <header class="head card">
      <div class="head-top">
        <div class="head-names">
          <p class="head-place">
            <span title={safeText(head.clusterName)}>{safeText(head.clusterName)}</span>
            <span title={safeText(head.planId)}>plan {safeText(head.planId)}</span>
            {head.run > 1 && <span>run {head.run}</span>}
            {isRehearsal && <strong class="head-rehearsal">Rehearsal: no cluster is touched</strong>}
          </p>
          <h1 class="head-title" title={safeText(head.upgradeId)}>
            {safeText(head.upgradeId)}
          </h1>
        </div>
        <div class="head-actions">{actions}</div>
      </div>
      <div class="head-state">
        <p class={`head-percent tone-${toneOf(head)}`} data-number="percent">
          {head.status === "not_started" ? "–" : percentText(head.percent)}
        </p>
        <div class="head-marks">
          <StatusMark {...words} look="pill" isMoving={isRunning} />
          <Health head={head} />
        </div>
        <Eta shown={shown} />
      </div>
      <Bar percent={head.status === "not_started" ? 0 : head.percent} tone={toneOf(head)} label="Progress" isLarge />
      {head.message !== null && <p class={`head-message tone-${toneOf(head)}`}>{head.message}</p>}
      <Facts shown={shown} />
    </header>
  );
}

function Health({ head: { health, status } }: { readonly head: HeadView }): ComponentChild {
  // What is paused does not progress, however well it is.
  if (health === null || (status === "paused" && HEALTH_TONES[health.state] === "good")) return null;
  const reasons = health.reasons.join("; ");
  return (
    <span class="head-health" title={reasons === "" ? undefined : reasons}>
      <StatusMark
        tone={HEALTH_TONES[health.state]}
        glyph={HEALTH_GLYPHS[health.state]}
        word={health.state}
        look="pill"
      />
    </span>
  );
}

function Eta({ shown: { head, eta } }: { readonly shown: Shown }): ComponentChild {
  const { when, left, range, basis, usual, over } = etaWords(eta, head, settings.zone.value);
  return (
    <div class="head-eta">
      <p class="head-eta-when">
        <span class="soft">{head.hasEnded ? "Ended" : eta.range === null ? "No estimate:" : "Done"} </span>
        <strong>{when}</strong>
        {left !== null && <span class="head-eta-left"> {left}</span>}
      </p>
      <p class="soft head-eta-range">
        {[[range, basis].filter(Boolean).join(", "), usual].filter(Boolean).join("; ")}
        {over !== null && <strong class="tone-attention head-over">{over}</strong>}
      </p>
    </div>
  );
}

function Facts({ shown: { head, scope } }: { readonly shown: Shown }): ComponentChild {
  const zone = settings.zone.value;
  const asOfMs = Date.parse(head.asOf);
  return (
    <dl class="facts">
      <Fact name="Elapsed" id="elapsed">
        {head.elapsedMs === null ? "–" : durationText(head.elapsedMs)}
      </Fact>
      {head.pausedMs > 0 && (
        <Fact name="Paused" id="paused">
          {durationText(head.pausedMs)}
        </Fact>
      )}
      <Fact name="Tasks" id="counts">
        {countsText(head)}
        {scope !== null && (
          <span class="head-scope">
            scope grew {scope.from} to {scope.to}
          </span>
        )}
      </Fact>
      {head.startedAt !== null && <Fact name="Started">{dayTimeText(head.startedAt, asOfMs, zone)}</Fact>}
      {head.completedAt !== null ? (
        <Fact name="Ended">{dayTimeText(head.completedAt, asOfMs, zone)}</Fact>
      ) : (
        <Fact name="Last event">{head.startedAt === null ? "–" : `${durationText(head.silentMs)} ago`}</Fact>
      )}
    </dl>
  );
}

interface FactProps {
  readonly name: string;
  readonly id?: string;
  readonly children: ComponentChildren;
}

function Fact({ name, id, children }: FactProps): ComponentChild {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-number={id}>{children}</dd>
    </div>
  );
}
