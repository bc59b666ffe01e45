import { describe, expect, it } from "vitest";
import type { Key } from "../../../src/cli/presenter/keys.ts";
import { UpgradeScene } from "../../../src/cli/presenter/upgrade-scene.ts";
import { lineWidth, paint, pen } from "../../../src/cli/render/pen.ts";
import { add, at, begin, fail, finish, raise, report, start, story, wait, type Step } from "../../view/story.ts";

const nodes = (group: string, count: number) => Array.from({ length: count }, (_, index) => `${group}-${index}`);

const STEPS: readonly Step[] = [
  [
    0,
    start("Node groups"),
    add("plane", { taskName: "Control plane" }),
    add("system", { taskName: "Node group system", unit: "nodes" }),
    ...nodes("system", 12).map((id) => add(id, { parentTaskId: "system" })),
    add("workers", { taskName: "Node group workers", unit: "nodes" }),
    ...nodes("workers", 30).map((id) => add(id, { parentTaskId: "workers" })),
    add("verify", { taskName: "Validation" }),
  ],
  [10, begin("plane"), finish("plane"), begin("system")],
  [20, ...nodes("system", 6).flatMap((id) => [begin(id), finish(id)])],
  [
    30,
    begin("system-6"),
    report("system-6", { percentage: 40, message: "evicting" }),
    begin("system-7"),
    wait("system-7", {
      kind: "PodDisruptionBudget",
      name: "shop/checkout",
      message: "needs 2",
      remedy: "scale checkout",
    }),
    begin("system-8"),
    fail("system-8", "NodeCreationFailure"),
    raise({ id: "i", level: "warning", message: "pod checkout cannot be evicted" }),
  ],
];

const named = (name: Exclude<Key["name"], "char">): Key => ({ name });
const typed = (text: string): readonly Key[] => [...text].map((char) => ({ name: "char", char }));

const set = (steps = STEPS, { columns = 80, rows = 24, canGoBack = false } = {}) => {
  let second = 60;
  const scene = new UpgradeScene({ now: () => at(second), hint: "q leaves", canGoBack });
  const by = pen({ width: columns, isAscii: false, hasColor: false });
  const lines = () => scene.lines(by, rows - 1).map((line) => paint(line, by));
  scene.show(story(steps).state);
  const press = (...keys: readonly Key[]) => {
    lines();
    return keys.map((key) => scene.key(key)).at(-1);
  };
  return {
    scene,
    lines,
    press,
    show: (more: readonly Step[]) => scene.show(story([...steps, ...more]).state),
    pass: (seconds: number) => void (second += seconds),
    selected: () => lines().find((line) => line.startsWith("❯")),
    lineOfSelected: () => lines().findIndex((line) => line.startsWith("❯")),
    by,
    rows,
  };
};

describe("UpgradeScene", () => {
  it("shows the whole as it fits best until somebody looks through it", () => {
    const { lines, press, selected } = set();
    expect(lines().join("\n")).toContain("! warning: pod checkout cannot be evicted");
    expect(selected()).toBeUndefined();
    expect(lines().at(-1)).toMatch(/ · \? keys · q leaves$/);
    press(named("down"));
    expect(selected()).toMatch(/^❯ ✗ failed +system-8/);
    press(named("escape"));
    expect(selected()).toBeUndefined();
  });

  it("moves with arrows and letters, page by page, and to both ends", () => {
    const { press, selected } = set();
    press(named("down"), named("up"));
    expect(selected()).toContain("system-7");
    press(...typed("jj"));
    expect(selected()).toContain("system-9");
    press(...typed("g"));
    expect(selected()).toContain("Control plane");
    press(...typed("k"));
    expect(selected()).toContain("Control plane");
    press(...typed("G"));
    expect(selected()).toContain("Validation");
    press(named("home"), named("page-down"));
    expect(selected()).not.toContain("Control plane");
  });

  it("opens and closes, and says what is closed and what is out of view", () => {
    const { press, selected, lines } = set();
    press(named("down"), ...typed("G"), named("up"));
    expect(selected()).toMatch(/Node group workers ▸ +0\/30 nodes/);
    press(named("right"), named("right"));
    expect(selected()).toMatch(/30 of 30 nodes ▸/);
    press(named("right"), named("page-down"));
    expect(lines().join("\n")).toMatch(/^ {2}… \d+ more below, \d+ above$/m);
    press(named("left"));
    expect(selected()).toMatch(/30 of 30 nodes$/);
    press(named("left"), named("left"));
    expect(selected()).toContain("Node group workers");
    press(named("enter"));
    expect(selected()).toContain("Node group workers ▸");
    press(...typed(" "));
    expect(selected()).not.toContain("▸");
  });

  it("shows what is known of the selected task: what it waits for, and what to do", () => {
    const { press, lines } = set();
    press(named("down"), named("up"));
    const text = lines().join("\n");
    expect(text).toMatch(/^system-7 {2}in Node group system · started \d\d:\d\d:\d\d · last heard of 30s ago · adv…$/m);
    expect(text).toContain("  waits 30s on PodDisruptionBudget shop/checkout: needs 2\n  remedy: scale checkout");
  });

  it("[P7] keeps the selected row selected, on its line, whatever arrives", () => {
    const { press, selected, lineOfSelected, show, pass } = set();
    // More rows than fit, above and below.
    press(named("down"), ...typed("G"), named("up"), named("right"), named("right"), named("right"));
    press(...typed("jjjjjjjjjjjjjjj"), named("up"), named("up"));
    const line = lineOfSelected();
    expect(selected()).toContain("workers-12");
    const steps: Step[] = [];
    // Below it, above it, beside it; some fold away, some appear.
    for (const [index, commands] of [
      [begin("workers-0"), report("workers-0", { percentage: 10 })],
      [finish("system-6"), finish("system-7")],
      [add("late", { taskName: "Late" }), add("early", { parentTaskId: "system" })],
      [begin("workers-12"), finish("workers-12")],
      [begin("system-10"), finish("system-10"), begin("system-11"), finish("system-11")],
    ].entries()) {
      steps.push([61 + index, ...commands]);
      show(steps);
      pass(1);
      expect([index, selected()?.includes("workers-12")]).toEqual([index, true]);
      expect([index, lineOfSelected()]).toEqual([index, line]);
    }
  });

  it("keeps a row selected when the selected task is gone with a next run", () => {
    const { press, selected, scene } = set();
    press(named("down"));
    scene.show(story([[0, start(), add("a"), add("b"), begin("b")]]).state);
    expect(selected()).toBeDefined();
  });

  it("looks for a text while it is typed, with what it is part of, and for a status", () => {
    const { press, lines, selected } = set();
    press(...typed("/"), ...typed("ers-2"));
    expect(lines().at(-1)).toBe("look for: ers-2_  enter keeps it, esc drops it");
    expect(lines().join("\n")).toMatch(
      / {2}only “ers-2”: 11 of 46 tasks · esc shows all\n.*Node group workers.*\n.*workers-2/,
    );
    press(named("backspace"), ...typed("9"), named("enter"), named("down"));
    press(named("down"), named("down"));
    expect(selected()).toContain("workers-9");
    press(...typed("f"));
    press(named("escape"));
    expect(lines().join("\n")).not.toContain("only");
    press(...typed("f"));
    expect(lines().join("\n")).toContain("only failed: 1 of 46 tasks");
    press(...typed("f"));
    expect(lines().join("\n")).toMatch(/only waiting: 1 of 46 tasks .*\n.*\n.*system-7/);
  });

  it("takes letters for text while one is typed, also q", () => {
    const { press, lines } = set();
    expect(press(...typed("/q?"))).toBe("taken");
    expect(lines().at(-1)).toContain("look for: q?_");
    expect(press(named("escape"), ...typed("q"))).toBe("quit");
  });

  it("explains the keys", () => {
    const { press, lines } = set();
    press(...typed("?"));
    expect(lines().join("\n")).toMatch(/^Keys\n.*select a task/m);
    expect(press(...typed("q"))).toBe("taken");
    expect(lines().join("\n")).not.toContain("select a task");
  });

  it("goes back where one came from, when nothing else is to be left first", () => {
    const { press } = set(STEPS, { canGoBack: true });
    expect(press(named("down"), named("escape"))).toBe("taken");
    expect(press(named("escape"))).toBe("back");
    expect(press(named("left"))).toBe("back");
    expect(set().press(named("escape"))).toBe("taken");
  });

  it("says where the connection stands, also in a low window", () => {
    for (const rows of [24, 6]) {
      const { scene, lines, pass } = set(STEPS, { rows });
      scene.show(undefined, { status: "live" });
      if (rows === 24) expect(lines().at(-1)).toMatch(/^live · started/);
      scene.show(undefined, {
        status: "waiting",
        retryInMs: 3000,
        attempt: 1,
        reason: "the server could not be reached",
      });
      expect(lines().at(-1)).toMatch(/^reconnecting in 3 s/);
      pass(2);
      expect(lines().at(-1)).toMatch(/^reconnecting in 1 s/);
      scene.show(undefined, { status: "stale", sinceMs: at(50) });
      expect(lines().at(-1)).toMatch(/^stale since \d\d:\d\d:50/);
    }
  });

  const HOSTILE = "\x1b[2J\x1b]8;;x\x07\u202ertl\u2069 日本語👩‍👩‍👧 ".repeat(6);
  const hostile: readonly Step[] = [
    [
      0,
      start(HOSTILE),
      ...nodes("n", 20).map((id) => add(id, { taskName: HOSTILE + id })),
      begin("n-1"),
      fail("n-1", HOSTILE),
    ],
    [
      5,
      begin("n-2"),
      wait("n-2", { kind: HOSTILE, name: HOSTILE, message: HOSTILE, remedy: HOSTILE }),
      add("c", { parentTaskId: "n-3", taskName: HOSTILE }),
    ],
  ];

  it.each([
    [80, 24],
    [200, 60],
    [40, 10],
    [20, 5],
    [9, 3],
  ])("[P7] [X3] fits a window of %i x %i in every state, whatever names hold", (columns, rows) => {
    const { scene, press, by } = set(hostile, { columns, rows });
    const check = () => {
      const lines = scene.lines(by, rows - 1);
      expect(lines.length).toBeLessThanOrEqual(rows - 1);
      for (const line of lines) {
        expect(lineWidth(line)).toBeLessThanOrEqual(columns);
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        expect(paint(line, by)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
      }
    };
    check();
    const keys = [
      named("down"),
      named("down"),
      ...typed("Gkg/rtl"),
      named("enter"),
      ...typed("f?"),
      named("escape"),
      named("right"),
      named("page-down"),
      named("escape"),
    ];
    for (const key of keys) {
      press(key);
      check();
    }
  });
});
