import { describe, expect, it, vi } from "vitest";

import { evolve } from "../../../src/model/evolve.ts";
import { emptyUpgrade } from "../../../src/model/upgrade.ts";
import { feedEntry, feedTest, type FeedEntry } from "../../../src/view/log/feed.ts";
import { LogText, linesUntil, logFile } from "../../../src/view/log/log-text.ts";
import { finder } from "../../../src/view/text/search.ts";
import { add, begin, fail, finish, IDS, report, start, story, wait, type Step } from "../story.ts";

const STEPS: Step[] = [
  [0, start("Check"), add("a", { taskName: "Drain <node>" }), add("b"), begin("a")],
  [1, report("a", { percentage: 50 }), wait("a", { kind: "Pod", name: "x" })],
  [
    2,
    { type: "appendLog", taskId: "a", text: "one\ntwo\u001b[31m\n" },
    { type: "appendLog", taskId: "b", text: "10%\r20%" },
  ],
  [3, fail("a", "timeout"), { type: "setCurrentPhase", phase: "Nodes" }, begin("b")],
  [4, finish("b"), { type: "failUpgrade", errorMessage: "gave up" }],
];

function recorded(): { readonly entries: readonly FeedEntry[]; readonly log: LogText } {
  const entries: FeedEntry[] = [];
  const log = new LogText();
  let state = emptyUpgrade(IDS, { cursor: "start" });
  for (const event of story(STEPS).events) {
    state = evolve(state, event);
    log.take(event, state);
    const entry = feedEntry(event, state);
    if (entry !== undefined) entries.push(entry);
  }
  return { entries, log };
}

describe("the feed", () => {
  const { entries } = recorded();
  const texts = (filter: Parameters<typeof feedTest>[0]) => entries.filter(feedTest(filter)).map(({ text }) => text);

  it("says each event in words, with its kind and task, and leaves out what only programs want", () => {
    expect(entries.map(({ kind, taskId }) => [kind, taskId])).toEqual([
      ["status", null],
      ["status", "a"],
      ["progress", "a"],
      ["waiting", "a"],
      ["status", "a"],
      ["phase", null],
      ["status", "b"],
      ["status", "b"],
      ["status", null],
    ]);
  });

  it("marks what should be seen when the whole log is looked at", () => {
    expect(entries.filter(({ isMark }) => isMark).map(({ text }) => text)).toEqual([
      "upgrade upgrade-123 on my-cluster started: Check",
      "task Drain <node> failed (3s): timeout",
      "phase Nodes",
      "upgrade failed (4s): gave up",
    ]);
  });

  it("is filtered by words in any order and case, by kinds and by task", () => {
    expect(texts({ text: "TIMEOUT drain" })).toEqual(["task Drain <node> failed (3s): timeout"]);
    expect(texts({ kinds: ["phase", "progress"] })).toEqual(["task Drain <node> at 50%", "phase Nodes"]);
    expect(texts({ taskId: "b", text: "completed" })).toEqual(["task b completed (1s)"]);
    expect(texts({})).toHaveLength(entries.length);
    expect(texts({ text: "nothing of the kind" })).toEqual([]);
  });
});

describe("finding", () => {
  it("marks where the words are, in the text as it is", () => {
    const marked = (text: string, query: string) =>
      finder(query)
        .pieces(text)
        .map((piece) => (piece.isFound ? `[${piece.text}]` : piece.text))
        .join("");
    expect(marked("Drain node ip-10", "node DRAIN")).toBe("[Drain] [node] ip-10");
    expect(marked("aaaa", "aa")).toBe("[aa][aa]");
    expect(marked("İstanbul node", "node")).toBe("İstanbul [node]");
    expect(marked("nothing", "")).toBe("nothing");
    expect(marked("", "x")).toBe("");
  });

  it("takes what is typed as it stands: no pattern", () => {
    expect(finder(".*").matches("abc")).toBe(false);
    expect(finder("(a+)+$").matches("x (a+)+$ y")).toBe(true);
  });

  it("looks through each text in proportion to its length, whatever both hold", () => {
    const hostile: readonly (readonly [string, string])[] = [
      ["a".repeat(65_536), `${"a".repeat(199)}b`],
      ["a".repeat(65_536), `b${"a".repeat(199)}`],
      ["a".repeat(65_536), "a z"],
      ["a b ".repeat(16_384), "a b a b a b a b"],
      ["\u0130".repeat(65_536), "i"],
      [" ".repeat(65_536), " ".repeat(65_536)],
    ];
    for (const [text, query] of hostile) {
      const find = finder(query);
      // Each of at most eight words once to find out whether it is there, and once to find out where.
      expect(lookedThrough(() => find.matches(text))).toBeLessThanOrEqual(8 * text.length);
      expect(lookedThrough(() => find.pieces(text))).toBeLessThanOrEqual(16 * text.length);
    }
  });
});

/** How many characters are looked through for words: what takes the time, and not how long that is. */
function lookedThrough(work: () => void): number {
  let count = 0;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- they are called with the string that was searched
  const { indexOf, includes } = String.prototype;
  const spies = [
    vi.spyOn(String.prototype, "indexOf").mockImplementation(function (this: string, word, from = 0) {
      const at = indexOf.call(this, word, from);
      count += (at === -1 ? this.length : at + word.length) - from;
      return at;
    }),
    vi.spyOn(String.prototype, "includes").mockImplementation(function (this: string, word) {
      count += this.length;
      return includes.call(this, word);
    }),
  ];
  try {
    work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return count;
}

describe("the text of logs", () => {
  it("comes by lines with the name of the task, safe to show", () => {
    expect(recorded().log.lines.map(({ taskName, text }) => `${taskName}: ${text}`)).toEqual([
      "Drain <node>: one",
      "Drain <node>: two\\x1b[31m",
      "b: 20%",
    ]);
  });

  it("is known up to an event, and forgotten before one", () => {
    const { log } = recorded();
    const seq = log.lines[1]?.seq ?? 0;
    expect(linesUntil(log.lines, seq)).toBe(2);
    expect(linesUntil(log.lines, seq - 1)).toBe(0);
    log.forgetBefore(seq + 1);
    expect(log.lines.map(({ text }) => text)).toEqual(["20%"]);
    expect(logFile(log.lines)).toMatch(/^2026-11-23T12:00:02.000Z b: 20%\n$/);
  });
});
