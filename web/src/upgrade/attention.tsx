/** What asks for somebody, on top of everything: waits, failures, trouble, insights; each with what to do. */

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";

import type { AttentionItem, AttentionView } from "../../../src/view/upgrade/attention.ts";
import { durationText } from "../../../src/view/text/duration.ts";
import { StatusMark } from "../parts/status-mark.tsx";
import { Remedy } from "./remedy.tsx";
import { taskHref } from "./task-link.ts";
import "../style/attention.css";

/** So many are shown at once; the rest opens. */
const MAX_OPEN = 4;

export function Attention({ attention: { items, more } }: { readonly attention: AttentionView }): ComponentChild {
  const [isOpen, setOpen] = useState(false);
  if (items.length === 0) return null;
  const listed = isOpen ? items : items.slice(0, MAX_OPEN);
  const hidden = items.length + more - listed.length;
  return (
    <section class="attention" aria-labelledby="attention-title">
      <h2 id="attention-title" class="section-title">
        Needs attention <span class="count">{items.length + more}</span>
      </h2>
      <ul class="attention-list">
        {listed.map((item) => (
          <Item key={item.key} item={item} />
        ))}
      </ul>
      {items.length > MAX_OPEN && (
        <button type="button" class="button button-bare" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Show fewer" : `Show ${hidden} more`}
        </button>
      )}
      {isOpen && more > 0 && <p class="soft">{more} more are in the task tree: choose “failed” or “waiting” there.</p>}
    </section>
  );
}

function Item({ item }: { readonly item: AttentionItem }): ComponentChild {
  const { tone, word, glyph, title, lines, remedy, resources, taskId, elapsedMs } = item;
  return (
    <li class={`attention-item tone-${tone}`}>
      <p class="attention-head">
        <StatusMark tone={tone} glyph={glyph} word={word} />
        {elapsedMs !== null && <span class="attention-since">for {durationText(elapsedMs)}</span>}
      </p>
      <div class="attention-body">
        <h3 class="attention-title">{taskId === null ? title : <a href={taskHref(taskId)}>{title}</a>}</h3>
        {lines.map((line) => (
          <p key={line} class="attention-line">
            {line}
          </p>
        ))}
        {remedy !== null && <Remedy remedy={remedy} />}
        {resources.length > 0 && <Resources resources={resources} />}
        <Reference item={item} />
      </div>
    </li>
  );
}

const MAX_RESOURCES = 5;

function Resources({ resources }: { readonly resources: readonly string[] }): ComponentChild {
  const more = resources.length - MAX_RESOURCES;
  return (
    <ul class="attention-resources" aria-label="Concerned">
      {resources.slice(0, MAX_RESOURCES).map((resource) => (
        <li key={resource} class="mono ellipsis" title={resource}>
          {resource}
        </li>
      ))}
      {more > 0 && <li class="soft">and {more} more</li>}
    </ul>
  );
}

function Reference({ item: { reference, href } }: { readonly item: AttentionItem }): ComponentChild {
  if (reference === null) return null;
  if (href === null) return <p class="attention-line">{reference}</p>;
  return (
    <p class="attention-line">
      <a href={href} target="_blank" rel="noopener noreferrer">
        {reference}
      </a>
    </p>
  );
}
