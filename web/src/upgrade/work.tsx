/** What is being done right now, in a line each. */

import type { ComponentChild } from "preact";

import { durationText, percentText } from "../../../src/view/text/duration.ts";
import { overWords } from "../../../src/view/estimate/eta-text.ts";
import { STATUS_WORDS } from "../../../src/view/text/status-words.ts";
import type { WorkView } from "../../../src/view/task/task-details.ts";
import { remarkText, stepsText } from "../../../src/view/task/task-text.ts";
import type { TaskView } from "../../../src/view/task/task-view.ts";
import { Bar } from "../parts/bar.tsx";
import { Glyph } from "../parts/glyph.tsx";
import { taskHref } from "./task-link.ts";
import "../style/work.css";

export function Work({ work: { tasks, more } }: { readonly work: WorkView }): ComponentChild {
  if (tasks.length === 0) return null;
  return (
    <section class="work" aria-labelledby="work-title">
      <h2 id="work-title" class="section-title">
        Now
      </h2>
      <ul class="work-list card">
        {tasks.map((task) => (
          <Item key={task.taskId} task={task} />
        ))}
        {more > 0 && <li class="work-more soft">and {more} more at work</li>}
      </ul>
    </section>
  );
}

function Item({ task }: { readonly task: TaskView }): ComponentChild {
  const { taskId, name, status, percent, steps, elapsedMs, over, attempt } = task;
  const { tone, glyph, word } = STATUS_WORDS[status];
  const remark = remarkText(task);
  const facts = [
    ...(steps === null ? [] : [stepsText(steps)]),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(elapsedMs === null ? [] : [durationText(elapsedMs)]),
    ...(over === null ? [] : [overWords(over)]),
  ];
  return (
    <li class={`work-item tone-${tone}`}>
      <Glyph glyph={glyph} />
      <span class="work-text">
        <a class="ellipsis work-name" href={taskHref(taskId)} title={name}>
          {name}
        </a>
        <span class="visually-hidden">{word}</span>
        {remark !== null && (
          <span class="ellipsis soft work-remark" title={remark}>
            {remark}
          </span>
        )}
      </span>
      <span class="work-facts soft">{facts.join(" · ")}</span>
      <span class="work-progress">
        <Bar percent={percent} tone={tone} label={`Progress of ${name}`} />
        <span class="work-percent">{percent === null ? "" : percentText(percent)}</span>
      </span>
    </li>
  );
}
