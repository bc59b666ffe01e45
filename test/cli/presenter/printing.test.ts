/* eslint-disable no-control-regex -- control characters are what is looked for */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { printing } from "../../../src/cli/presenter/printing.ts";
import type { PresenterOptions } from "../../../src/cli/presenter/presenting.ts";
import { leaveOn } from "../../../src/cli/terminal.ts";
import type { Connection } from "../../../src/stream/client.ts";
import { manualClock } from "../../manual-clock.ts";
import {
  at,
  add,
  begin,
  fail,
  finish,
  raise,
  report,
  start as startStory,
  story,
  wait,
  type Step,
} from "../../view/story.ts";
import { start, temporaryFolder } from "../command-line.ts";

const HOSTILE = "\x1b[2J\x1b]0;x\x07\u202e::error::x\n##[add-mask]x\r\n::set-output name=a::b%0A";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

const set = (options: Partial<PresenterOptions> = {}, env: Record<string, string> = {}) => {
  const clock = manualClock(at(60));
  const { cli, stdout, stderr } = start([], { clock, env });
  const leave = leaveOn(cli);
  const shown = printing(cli, { common: {}, leave, now: () => clock.now(), hint: "", ...options });
  /** Lets time pass on all clocks, second by second. */
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.pass(1000);
      vi.advanceTimersByTime(1000);
    }
  };
  const play = (steps: readonly Step[]) => {
    let events: readonly unknown[] = [];
    for (let count = 1; count <= steps.length; count++) {
      const told = story(steps.slice(0, count));
      const fresh = told.events.slice(events.length);
      events = told.events;
      for (const event of fresh) shown.show({ state: told.state, event });
    }
  };
  return { shown, pass, play, lines: () => stdout().trimEnd().split("\n"), stdout, stderr };
};

const waiting: readonly Step[] = [
  [
    0,
    startStory("Nodes"),
    add("n1", { taskName: "Node n1" }),
    begin("n1"),
    wait("n1", { kind: "PodDisruptionBudget", name: "shop/checkout" }),
  ],
];

describe("printing", () => {
  it("[P12] says every three minutes of half an hour of silence what is waited for, and nothing in between", () => {
    const { shown, pass, lines } = set();
    shown.show({ state: story(waiting).state });
    pass(30 * 60);
    const said = lines().slice(1);
    expect(said).toHaveLength(10);
    for (const [index, line] of said.entries())
      expect(line.slice(9)).toBe(`still waiting: Node n1 on PodDisruptionBudget shop/checkout (${4 + 3 * index}m 00s)`);
    shown.close();
    pass(600);
    expect(lines()).toHaveLength(11);
  });

  it("counts the silence from the last line, and keeps still when asked to be quiet", () => {
    const { shown, pass, play, lines } = set({ signOfLifeMs: 60_000 });
    play(waiting);
    const before = lines().length;
    pass(50);
    shown.setWriter(true);
    play([...waiting, [110, { type: "clearWaitingOn", taskId: "n1" }]]);
    const told = lines().length;
    expect(told).toBeGreaterThan(before);
    pass(50);
    expect(lines()).toHaveLength(told);
    pass(10);
    expect(lines()).toHaveLength(told + 1);
    const quiet = set({ common: { quiet: true }, signOfLifeMs: 60_000 });
    quiet.shown.show({ state: story(waiting).state });
    quiet.pass(600);
    expect(quiet.lines()).toHaveLength(1);
  });

  it("[P12] says that a connection is lost, once, what is being done about it, and that it is there again", () => {
    const { shown, pass, lines } = set({ signOfLifeMs: 60_000 });
    const { state } = story(waiting);
    const tell = (connection: Connection) => shown.show({ state, connection });
    tell({ status: "connecting" });
    tell({ status: "live" });
    tell({ status: "waiting", retryInMs: 3000, attempt: 1, reason: "the server could not be reached" });
    tell({ status: "connecting" });
    tell({ status: "waiting", retryInMs: 5000, attempt: 2, reason: "the server could not be reached" });
    pass(60);
    tell({ status: "connecting" });
    tell({ status: "live" });
    expect(lines().map((line) => line.slice(9))).toEqual([
      expect.stringMatching(/^upgrade upgrade-123 on my-cluster: running/),
      "connection lost: reconnecting in 3 s (the server could not be reached)",
      "still reconnecting in 5 s (the server could not be reached)",
      "connected again",
    ]);
  });

  const rich: readonly Step[] = [
    [
      0,
      startStory(HOSTILE),
      add("n1", { taskName: HOSTILE }),
      begin("n1"),
      report("n1", { percentage: 50, message: HOSTILE }),
    ],
    [5, fail("n1", HOSTILE), raise({ id: "i", level: "warning", message: HOSTILE, remedy: HOSTILE })],
    [6, { type: "setCurrentPhase", phase: "::endgroup::" }, add("n2"), begin("n2"), finish("n2")],
    [9, { type: "failUpgrade", errorMessage: HOSTILE }],
  ];

  it("[P12] [X3] prints no escape byte and no line that is not its own, whatever names hold", () => {
    for (const ci of ["none", "github"] as const) {
      const { shown, play, stdout, lines } = set({ ci });
      play(rich);
      shown.end();
      shown.close();
      expect(stdout()).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
      const own = ci === "none" ? /^\d\d:\d\d:\d\d / : /^(\d\d:\d\d:\d\d |::(group|error|warning)\b|::endgroup::$)/;
      for (const line of lines()) expect(line).toMatch(own);
    }
  });

  it("[P12] gives GitHub a group for each phase, annotations, and no command from outside", () => {
    const { shown, play, lines } = set({ ci: "github" });
    play(rich);
    shown.end();
    shown.close();
    for (const line of lines()) expect(line).not.toContain("##[");
    const commands = lines().filter((line) => line.startsWith("::"));
    expect(
      commands.map((line) => line.replace(/::(?!group|error|warning|endgroup).*/, "").replace(/ title=.*/, "")),
    ).toEqual(["::group", "::error", "::warning", "::endgroup", "::group", "::endgroup", "::error"]);
    expect(commands[1]).toMatch(/^::error title=Task failed::\d\d:\d\d:\d\d task \\x1b\[2J/);
    // A percent sign would begin an escape of GitHub's own, and bring a line end back.
    expect(commands[1]).toContain("b%250A failed");
    expect(commands.at(-3)).toBe("::group::phase ::endgroup::");
  });

  it("adds a summary to GitHub's step, in which every text is text", () => {
    const file = join(temporaryFolder(), "summary.md");
    const { shown, play } = set({ ci: "github" }, { GITHUB_STEP_SUMMARY: file });
    play([
      [
        0,
        startStory(),
        add("n1", { taskName: "a | b <img src=x> [l](http://x) `c` @team *x*" }),
        begin("n1"),
        fail("n1", "line\nend"),
      ],
      [65, { type: "failUpgrade", errorMessage: "no" }],
    ]);
    shown.end();
    shown.close();
    expect(readFileSync(file, "utf8")).toBe(
      [
        "### ✗ upgrade\\-123 on my\\-cluster: failed after 1m 05s",
        "",
        "0%, 0 of 1 task completed, 1 failed",
        "",
        "no",
        "",
        "| status | task | done | took | |",
        "| --- | --- | ---: | ---: | --- |",
        "| ✗ failed | a \\| b &lt;img src=x&gt; \\[l\\]\\(http\\://x\\) \\`c\\` @\u2060team \\*x\\* |  | 0s | line\\\\nend |",
        "",
        "",
      ].join("\n"),
    );
  });

  it("[P12] lets what had failed before anybody looked stand out, too", () => {
    const { shown, lines } = set({ ci: "github" });
    shown.show({ state: story([[0, startStory(), { type: "failUpgrade", errorMessage: "no\ncapacity" }]]).state });
    shown.close();
    expect(lines()).toEqual([
      expect.stringMatching(
        /^::error title=Upgrade failed::\d\d:\d\d:\d\d upgrade upgrade-123 on my-cluster: failed, 0%25, no tasks yet: no\\ncapacity$/,
      ),
    ]);
  });

  it("says it and goes on when the step's summary cannot be written", () => {
    const { shown, play, stderr } = set({ ci: "github" }, { GITHUB_STEP_SUMMARY: "/nowhere/summary.md" });
    play(waiting);
    shown.end();
    expect(stderr()).toMatch(/^milepost: the step summary cannot be written \(ENOENT/);
  });

  it("gives GitLab a section for each phase, with escape bytes in its marks only", () => {
    const { shown, play, stdout } = set({ ci: "gitlab" });
    play(rich);
    shown.end();
    shown.close();
    const marks = [...stdout().matchAll(/\x1b\[0Ksection_(start|end):(\d+):(milepost_\d+)\r\x1b\[0K/g)];
    expect(marks.map(([, what, , name]) => `${what} ${name}`)).toEqual([
      "start milepost_1",
      "end milepost_1",
      "start milepost_2",
      "end milepost_2",
    ]);
    for (const [, , seconds] of marks) expect(Number(seconds)).toBe(at(60) / 1000);
    expect(marks.reduce((text, [mark]) => text.replace(mark, ""), stdout())).not.toMatch(/[\x1b\r]/);
  });
});
