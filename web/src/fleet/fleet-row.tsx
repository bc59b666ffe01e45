/** One upgrade of the list. */

import type { ComponentChild } from "preact";
import { useMemo } from "preact/hooks";

import { aboutText, durationText, percentText, shortDateText } from "../../../src/view/text/duration.ts";
import type { FleetRow } from "../../../src/view/upgrade/fleet-view.ts";
import { STATUS_WORDS } from "../../../src/view/text/status-words.ts";
import { now } from "../now.ts";
import { Bar } from "../parts/bar.tsx";
import { Glyph } from "../parts/glyph.tsx";
import { upgradeHref } from "../router.ts";
import { settings } from "../settings.ts";

export interface FleetRowProps {
  readonly row: FleetRow;
  /** The one that the keys are at: the only one that Tab reaches. */
  readonly isCurrent: boolean;
  readonly onFocus: () => void;
}

const HOUR_MS = 3_600_000;

export function FleetRowLink({ row, isCurrent, onFocus }: FleetRowProps): ComponentChild {
  // Times of today are written differently from those of yesterday.
  const hour = Math.floor(now.value / HOUR_MS);
  // Most rows of a long list have ended: they are not drawn again each second.
  return useMemo(
    () => <Link row={row} isCurrent={isCurrent} onFocus={onFocus} />,
    [row, isCurrent, hour, settings.zone.value],
  );
}

function Link({ row, isCurrent, onFocus }: FleetRowProps): ComponentChild {
  const { tone, status, name, clusterName, planId, percent, phase } = row;
  return (
    <a
      class={`fleet-row tone-${tone}`}
      href={upgradeHref(row.upgradeId)}
      tabIndex={isCurrent ? 0 : -1}
      data-current={isCurrent ? "" : undefined}
      onFocus={onFocus}
    >
      <span class="fleet-mark">
        <Glyph glyph={row.glyph} />
      </span>
      <span class="fleet-name">
        <span class="fleet-id">
          <span class="ellipsis">{name}</span>
          {row.isRehearsal && <span class="fleet-badge">rehearsal</span>}
        </span>
        <span class="fleet-cluster ellipsis">
          {clusterName}
          {planId !== clusterName && ` · ${planId}`}
        </span>
      </span>
      <span class="fleet-progress">
        <span class="fleet-phase">
          <span class="ellipsis">{phase ?? "\u00a0"}</span>
          <span class="fleet-percent">{status === "not_started" ? "" : percentText(percent)}</span>
        </span>
        {status !== "not_started" && (
          <Bar percent={percent} tone={tone === "good" ? "quiet" : tone} label={`Progress of ${name}`} />
        )}
      </span>
      <FleetState row={row} />
      <FleetTime row={row} />
    </a>
  );
}

/** What it is, and why: the reason goes before what is waited for, and that before what is done now. */
function FleetState({ row }: { readonly row: FleetRow }): ComponentChild {
  const { health, status, waitingOn, doing } = row;
  const word = STATUS_WORDS[status].word;
  const detail =
    health?.reason ??
    (waitingOn === null ? doing : `${waitingOn.on}${waitingOn.message === null ? "" : `: ${waitingOn.message}`}`);
  return (
    <span class="fleet-state">
      <span class="fleet-word">
        {health === null ? word : health.word}
        {waitingOn !== null && (
          <span class="fleet-waits">
            {status === "waiting" && health === null ? "" : " · waits "}
            {` ${durationText(waitingOn.elapsedMs)}`}
          </span>
        )}
      </span>
      <span class="fleet-detail ellipsis" title={detail ?? undefined}>
        {detail ?? "\u00a0"}
      </span>
    </span>
  );
}

function FleetTime({ row }: { readonly row: FleetRow }): ComponentChild {
  const { left, elapsedMs, completedAt } = row;
  return (
    <span class="fleet-time">
      <span class="fleet-left" title={left === null ? undefined : leftTitle(left)}>
        {left !== null ? leftText(left) : completedAt !== null ? endText(completedAt) : "\u00a0"}
      </span>
      <span class="faint">
        {elapsedMs === null ? "" : `${completedAt === null ? "for" : "took"} ${durationText(elapsedMs)}`}
      </span>
    </span>
  );
}

type Left = NonNullable<FleetRow["left"]>;

/** What is waited for may last: then there is a least time, and no likely one. */
function leftText({ isHeld, lowMs, likelyMs }: Left): string {
  return isHeld ? `over ${aboutText(lowMs)} left` : `about ${aboutText(likelyMs)} left`;
}

function leftTitle({ isHeld, lowMs, highMs }: Left): string {
  return isHeld ? "held by what is waited for" : `${aboutText(lowMs)} to ${aboutText(highMs)}`;
}

function endText(completedAt: string): string {
  const text = shortDateText(completedAt, now.peek(), settings.zone.value);
  return text.includes(":") ? `ended ${text.slice(0, 5)}` : text;
}
