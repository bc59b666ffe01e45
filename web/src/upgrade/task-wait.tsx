/** What a task waits for, since when, and what to do about it. */

import type { ComponentChild } from "preact";

import { durationText } from "../../../src/view/text/duration.ts";
import type { TaskView } from "../../../src/view/task/task-view.ts";
import { Remedy } from "./remedy.tsx";

export function TaskWait({ waitingOn }: { readonly waitingOn: NonNullable<TaskView["waitingOn"]> }): ComponentChild {
  const { on, message, remedy, elapsedMs } = waitingOn;
  return (
    <div class="panel-wait tone-attention">
      <p>
        Waits on <strong>{on}</strong> for {durationText(elapsedMs)}
      </p>
      {message !== null && <p class="soft">{message}</p>}
      {remedy !== null && <Remedy remedy={remedy} />}
    </div>
  );
}
