import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import { emptyUpgrade } from "../../src/model/upgrade.ts";
import { cutText, facts, headline, severity, upgradeLink, WORDING_LIMITS } from "../../src/notify/wording.ts";
import { add, begin, fail, finish, IDS, raise, report, start, story, wait, type Step } from "../view/story.ts";

const STORY: readonly Step[] = [
  [0, start("Nodes"), add("ng-1"), add("ng-2", { taskName: "Drain node group ng-2" }), begin("ng-1"), begin("ng-2")],
  [60, report("ng-1", { percentage: 40 }), finish("ng-1")],
  [90, wait("ng-2", { kind: "pdb", name: "web", message: "0 of 2 may go", remedy: "scale web to 3" })],
  [120, raise({ id: "quota", level: "error", message: "no address left", remedy: "widen the subnet" })],
  [250, fail("ng-2", "3 pods cannot be evicted:\n  web-1\n  web-2")],
  [300, { type: "failUpgrade", errorMessage: "one task failed" }],
];
const { state, events } = story(STORY);
const of = (type: ProgressEvent["type"]): ProgressEvent => events.find((event) => event.type === type)!;
const factOf = (event: ProgressEvent, label: string, shown = state) =>
  facts(event, shown).find((fact) => fact.label === label)?.text;

describe("headline", () => {
  it("says in one line what happened, to whom, and why", () => {
    const told = (type: ProgressEvent["type"]) => headline(of(type), state);
    expect(told("upgrade.started")).toBe("Upgrade upgrade-123 on my-cluster started: Nodes");
    expect(told("task.failed")).toBe("Drain node group ng-2 failed (4m 10s): 3 pods cannot be evicted: web-1 web-2");
    expect(told("upgrade.failed")).toBe("Upgrade upgrade-123 failed (5m 00s): one task failed");
    expect(told("insight.raised")).toBe("Error: no address left (remedy: widen the subnet)");
    expect(told("task.waiting")).toBe("Drain node group ng-2 waits on pdb web: 0 of 2 may go (remedy: scale web to 3)");
  });

  it("says the type of what it has no words for", () => {
    const unknown = { ...of("writer.opened"), type: "task.teleported", message: "gone" } as unknown as ProgressEvent;
    expect(headline(unknown, state)).toBe("task.teleported: gone");
    expect(headline(of("task.failed"), emptyUpgrade(IDS))).toBe(
      "task.failed: Task failed: 3 pods cannot be evicted: web-1 web-2",
    );
  });
});

describe("severity", () => {
  it("is what the event means for those who wait", () => {
    const levels = events.map((event) => [event.type, severity(event)]);
    expect(Object.fromEntries(levels)).toMatchObject({
      "upgrade.started": "info",
      "task.completed": "info",
      "task.waiting": "warning",
      "insight.raised": "error",
      "task.failed": "error",
      "upgrade.failed": "error",
    });
    const changed = { ...of("writer.opened"), type: "health.changed", health: "stalled" } as unknown as ProgressEvent;
    expect(severity(changed)).toBe("error");
    const unfinished = story([
      [0, start(), add("a")],
      [1, { type: "completeUpgrade" }],
    ]).events.at(-1)!;
    expect(severity(unfinished)).toBe("warning");
  });
});

describe("facts", () => {
  it("say where it stands, what it waits for with its remedy, and what went wrong", () => {
    const waiting = story(STORY.slice(0, 3));
    const event = waiting.events.at(-1)!;
    expect(facts(event, waiting.state, "https://milepost.example.com/ops/?a=b")).toEqual([
      { label: "Cluster", text: "my-cluster" },
      { label: "Upgrade", text: "upgrade-123" },
      { label: "Status", text: "running" },
      { label: "Phase", text: "Nodes" },
      { label: "Progress", text: "50%, 1 of 2 tasks completed" },
      { label: "Duration", text: "1m 30s" },
      { label: "Waiting on", text: "pdb web (Drain node group ng-2): 0 of 2 may go" },
      { label: "Remedy", text: "scale web to 3" },
      { label: "Link", text: "https://milepost.example.com/ops/?a=b#/upgrades/upgrade-123" },
    ]);
    expect(factOf(of("upgrade.failed"), "Error")).toBe("one task failed");
    expect(factOf(of("task.failed"), "Error")).toBe("3 pods cannot be evicted: web-1 web-2");
  });

  it("invent no percentage while nothing was reported", () => {
    const begun = story([[0, start(), add("a"), begin("a")]]);
    expect(factOf(begun.events.at(-1)!, "Progress", begun.state)).toBe("0 of 1 tasks completed");
  });
});

describe("every text", () => {
  it("is never empty, never too long and holds no control character, whatever the names and messages are", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
      fc.constantFrom(
        "\u001b[2J",
        "a\r\nBcc: x",
        "\u202etxt",
        "\ud800",
        "e\u0301".repeat(400),
        "👩‍👩‍👧‍👦".repeat(40),
        "\u0085",
      ),
      fc.constant(`z${"\u0301".repeat(900)}`),
    );
    const text = hostile.filter((one) => one.trim() !== "");
    fc.assert(
      fc.property(text, text, fc.integer({ min: 1, max: 300 }), (name, said, limit) => {
        const told = story([
          [0, start(name), add("a", { taskName: name }), begin("a", said)],
          [1, wait("a", { kind: said, name, message: said, remedy: said })],
          [2, raise({ id: "i", level: "warning", message: said, remedy: name })],
          [3, fail("a", said), { type: "failUpgrade", errorMessage: said }],
        ]);
        for (const event of told.events) {
          const line = headline(event, told.state, limit);
          const all = facts(event, told.state, "https://x.example.com");
          expect(line.length).toBeLessThanOrEqual(limit);
          for (const one of [line, ...all.flatMap(({ label, text: fact }) => [label, fact])]) {
            expect(one).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
            expect(one.trim()).not.toBe("");
            expect(one.length).toBeLessThanOrEqual(WORDING_LIMITS.fact);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("is cut between characters as people see them", () => {
    expect(cutText("abc", 3)).toBe("abc");
    expect(cutText("abcd", 3)).toBe("ab…");
    expect(cutText("e\u0301e\u0301e\u0301", 5)).toBe("e\u0301e\u0301…");
    expect(cutText("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 15)).toBe("👩‍👩‍👧‍👦…");
    expect(cutText("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 5)).toBe("…");
  });
});

describe("upgradeLink", () => {
  it("keeps an id of any shape in its place", () => {
    expect(upgradeLink("https://x.example.com", "a/b?c#d e")).toBe(
      "https://x.example.com/#/upgrades/a%2Fb%3Fc%23d%20e",
    );
  });
});
