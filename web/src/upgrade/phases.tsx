/** The phases in a row: those passed, and where it stands now, with how long each took. */

import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { durationText } from "../../../src/view/text/duration.ts";
import type { PhasesView, PhaseView } from "../../../src/view/upgrade/phases.ts";
import { STATUS_WORDS, type StatusWords } from "../../../src/view/text/status-words.ts";
import { Glyph } from "../parts/glyph.tsx";
import "../style/phases.css";

export function Phases({ phases: { phases, earlier } }: { readonly phases: PhasesView }): ComponentChild {
  const list = useRef<HTMLOListElement>(null);
  const newest = phases.at(-1)?.key;
  useEffect(() => {
    // On a narrow page the row is longer than the page: what is present is what one wants to see.
    if (list.current !== null) list.current.scrollLeft = list.current.scrollWidth;
  }, [newest]);
  if (phases.length === 0) return null;
  return (
    <section class="phases card" aria-labelledby="phases-title">
      <h2 id="phases-title" class="visually-hidden">
        Phases
      </h2>
      <ol ref={list} class="phases-list" tabIndex={0} aria-labelledby="phases-title">
        {earlier > 0 && <li class="phase phase-earlier soft">{earlier} earlier</li>}
        {phases.map((phase) => (
          <Phase key={phase.key} phase={phase} />
        ))}
      </ol>
    </section>
  );
}

function wordsOf({ state }: PhaseView): StatusWords {
  return state === "passed" ? STATUS_WORDS.completed : STATUS_WORDS[state === "present" ? "in_progress" : state];
}

function Phase({ phase }: { readonly phase: PhaseView }): ComponentChild {
  const { name, state, elapsedMs, isAgain } = phase;
  const { glyph, tone } = wordsOf(phase);
  const isLast = state !== "passed";
  return (
    <li class={`phase phase-${state} tone-${tone}`} aria-current={isLast ? "step" : undefined}>
      <Glyph glyph={glyph} />
      <span class="phase-name ellipsis" title={name}>
        {name}
        {isAgain && " (again)"}
      </span>
      <span class="visually-hidden">{state}</span>
      <span class="phase-time">{durationText(elapsedMs)}</span>
    </li>
  );
}
