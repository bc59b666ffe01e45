/** What the shapes of the timeline mean. */

import type { ComponentChild } from "preact";

export interface LegendProps {
  /** False if plans come from what tasks expect alone. */
  readonly hasPlan: boolean;
  readonly hasNow: boolean;
}

export function Legend({ hasPlan, hasNow }: LegendProps): ComponentChild {
  return (
    <ul class="timeline-legend soft" aria-label="What the shapes mean">
      <Key shape="lane-bar tone-active">runs</Key>
      <Key shape="lane-bar tone-good">completed</Key>
      <Key shape="lane-bar lane-bar-failed tone-bad">failed</Key>
      <Key shape="lane-stretch lane-stretch-waiting tone-attention">waits</Key>
      <Key shape="lane-stretch lane-stretch-paused">paused</Key>
      <Key shape="lane-plan">{hasPlan ? "usual time, and up to the slowest tenth" : "expected time"}</Key>
      {hasNow && <Key shape="lane-now">now</Key>}
    </ul>
  );
}

function Key({ shape, children }: { readonly shape: string; readonly children: string }): ComponentChild {
  return (
    <li>
      <span class="timeline-key" aria-hidden="true">
        <span class={shape} />
      </span>
      {children}
    </li>
  );
}
