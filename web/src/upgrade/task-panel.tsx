/** One task in full: where it stands, its times and attempts, what it waits for, its details and what it printed. */

import type { ComponentChild, ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { dateText, durationText, percentText } from "../../../src/view/text/duration.ts";
import { overWords } from "../../../src/view/estimate/eta-text.ts";
import { safeText } from "../../../src/view/text/safe-text.ts";
import { STATUS_WORDS } from "../../../src/view/text/status-words.ts";
import { taskDetails, type AttemptView, type TaskDetailsView } from "../../../src/view/task/task-details.ts";
import { isMeasurable, stepsText } from "../../../src/view/task/task-text.ts";
import { Bar } from "../parts/bar.tsx";
import { Icon } from "../parts/icon.tsx";
import { StatusMark } from "../parts/status-mark.tsx";
import { settings } from "../settings.ts";
import type { Shown } from "./page-view.ts";
import { showTask, taskHref } from "./task-link.ts";
import { TaskWait } from "./task-wait.tsx";
import "../style/task-panel.css";

export interface TaskPanelProps {
  readonly taskId: string;
  readonly shown: Shown;
  /** What the task printed. */
  readonly children?: ComponentChildren;
}

export function TaskPanel({ taskId, shown, children }: TaskPanelProps): ComponentChild {
  const details = taskDetails(shown.state, taskId, shown.now);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    const panel = heading.current?.closest(".panel");
    // Beside the tree it is in view as it is; on a narrow page it may be anywhere.
    const { top = 0 } = panel?.getBoundingClientRect() ?? {};
    if (top < 0 || top > innerHeight * 0.75) panel?.scrollIntoView({ block: "start" });
  }, [taskId]);
  const close = (): void => {
    showTask(undefined);
    document.querySelector<HTMLElement>(".tree")?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  };
  const name = details?.task.name ?? safeText(taskId);
  return (
    <section class="panel card" aria-label={`Task ${name}`} onKeyDown={onKeyDown}>
      <header class="panel-head">
        <div class="panel-names">
          {details !== undefined && <Above details={details} />}
          <h2 ref={heading} tabIndex={-1} class="panel-title">
            {name}
          </h2>
        </div>
        <button type="button" class="button button-bare button-icon" aria-label="Close the task" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {details === undefined ? (
        <p class="empty">There is no such task at this moment of the upgrade.</p>
      ) : (
        <Details details={details} />
      )}
      {details !== undefined && children}
    </section>
  );
}

function Above({ details: { above } }: { readonly details: TaskDetailsView }): ComponentChild {
  if (above.length === 0) return null;
  return (
    <p class="panel-above">
      {above.map(({ taskId, name }) => (
        <a key={taskId} href={taskHref(taskId)}>
          {name}
        </a>
      ))}
    </p>
  );
}

function Details({ details }: { readonly details: TaskDetailsView }): ComponentChild {
  const { task, failedAttempts, reportDetails } = details;
  const words = STATUS_WORDS[task.status];
  const text = task.waitingOn === null ? task.message : null;
  return (
    <div class="panel-body">
      <div class="panel-state">
        <StatusMark {...words} look="pill" isMoving={task.status === "in_progress"} />
        {task.attempt > 1 && <span class="badge tone-attention">attempt {task.attempt}</span>}
        {task.over !== null && <span class="badge tone-attention">{overWords(task.over)}</span>}
        {isMeasurable(task) && <strong class="panel-percent">{percentText(task.percent)}</strong>}
      </div>
      {isMeasurable(task) && <Bar percent={task.percent} tone={words.tone} label={`Progress of ${task.name}`} />}
      {text !== null && <p class={`panel-message ${task.status === "failed" ? "tone-bad panel-bad" : ""}`}>{text}</p>}
      {task.waitingOn !== null && <TaskWait waitingOn={task.waitingOn} />}
      <Times details={details} />
      {failedAttempts.length > 0 && <Attempts attempts={failedAttempts} />}
      <Json title="Details" lines={details.details} />
      <Json title={details.details === null ? "Details" : "Newest report"} lines={reportDetails} />
    </div>
  );
}

function Times({ details }: { readonly details: TaskDetailsView }): ComponentChild {
  const { task, plan, startedAt, completedAt, silentMs, sinceAdvanceMs } = details;
  const zone = settings.zone.value;
  const facts: readonly (readonly [string, string | null])[] = [
    ["Task", safeText(task.taskId)],
    ["Type", safeText(task.taskType)],
    ["Steps", task.steps === null ? null : stepsText(task.steps)],
    ["Elapsed", task.elapsedMs === null ? null : durationText(task.elapsedMs)],
    ["Paused", task.pausedMs === 0 ? null : durationText(task.pausedMs)],
    [plan?.source === "usual" ? "Usually" : "Expected", plan === null ? null : durationText(plan.p50)],
    ["Started", startedAt === null ? null : dateText(startedAt, zone)],
    ["Ended", completedAt === null ? null : dateText(completedAt, zone)],
    ["Last sign of life", silentMs === null ? null : `${durationText(silentMs)} ago`],
    ["Last advance", sinceAdvanceMs === null ? null : `${durationText(sinceAdvanceMs)} ago`],
    ["Weight", details.weight === 1 ? null : String(details.weight)],
  ];
  return (
    <dl class="panel-facts">
      {facts.map(([name, value]) => value !== null && <Fact key={name} name={name} value={value} />)}
    </dl>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): ComponentChild {
  return (
    <div class={value.length > 20 ? "panel-wide" : undefined}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const MAX_ATTEMPTS = 20;

function Attempts({ attempts }: { readonly attempts: readonly AttemptView[] }): ComponentChild {
  const more = attempts.length - MAX_ATTEMPTS;
  return (
    <div class="panel-part">
      <h3 class="panel-part-title">Failed attempts</h3>
      <ol class="panel-attempts">
        {attempts.slice(0, MAX_ATTEMPTS).map(({ attempt, percent, elapsedMs, endedAt, errorMessage }) => (
          <li key={attempt}>
            <p class="soft">
              Attempt {attempt} failed at {percentText(percent)}
              {elapsedMs !== null && ` after ${durationText(elapsedMs)}`}
              {endedAt !== null && `, ${dateText(endedAt, settings.zone.value)}`}
            </p>
            <p class="panel-message">{errorMessage}</p>
          </li>
        ))}
      </ol>
      {more > 0 && <p class="soft">and {more} earlier</p>}
    </div>
  );
}

function Json({ title, lines }: { readonly title: string; readonly lines: readonly string[] | null }): ComponentChild {
  if (lines === null) return null;
  return (
    <div class="panel-part">
      <h3 class="panel-part-title">{title}</h3>
      <pre class="panel-json" tabIndex={0} aria-label={title}>
        {lines.join("\n")}
      </pre>
    </div>
  );
}
