import { describe, expect, it } from "vitest";
import { LogLines } from "../../src/sources/log-lines.ts";
import type { CommandInput } from "../../src/sources/stages.ts";

const texts = (commands: readonly CommandInput[]): string[] => commands.map(({ text }) => String(text));

describe("log lines", () => {
  it("gathers lines into at most ten events a second, and loses none", () => {
    let ms = 0;
    const log = new LogLines({ taskId: "command", now: () => ms });
    const commands: CommandInput[] = [];
    for (ms = 0; ms < 1000; ms++) commands.push(...log.add("command", `line ${ms}`));
    commands.push(...log.end());
    expect(commands.length).toBeLessThanOrEqual(11);
    expect(texts(commands).join("\n").split("\n")).toEqual(Array.from({ length: 1000 }, (_, index) => `line ${index}`));
  });

  it("tells lines of another task apart", () => {
    const log = new LogLines({ taskId: "command", now: () => 0 });
    const commands = [...log.add("a", "1"), ...log.add("a", "2"), ...log.add("b", "3"), ...log.end()];
    expect(commands).toEqual([
      { type: "appendLog", taskId: "a", text: "1" },
      { type: "appendLog", taskId: "a", text: "2" },
      { type: "appendLog", taskId: "b", text: "3" },
    ]);
  });

  it("bounds what is kept of a flood, keeps its newest lines, and says what is missing", () => {
    let ms = 0;
    const log = new LogLines({ taskId: "command", now: () => ms });
    const commands: CommandInput[] = [];
    const line = "x".repeat(990);
    const total = 100_000;
    for (let count = 0; count < total; count++) {
      ms = count / 10;
      commands.push(...log.add("command", `${count} ${line}`));
    }
    commands.push(...log.end());
    const all = texts(commands).join("\n").split("\n");
    const size = all.join("\n").length;
    expect(size).toBeLessThan(1_000_000 + 64_000 * 11);
    expect(all.at(-1)).toMatch(/^99999 /);
    const missing = all.filter((text) => text.startsWith("…")).map((text) => Number(/\d+/.exec(text)?.[0]));
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.reduce((a, b) => a + b) + all.length - missing.length).toBe(total);
    for (const text of texts(commands)) expect(text.length).toBeLessThanOrEqual(65_536);
  });

  it("leaves binary data out and says so", () => {
    const log = new LogLines({ taskId: "command", now: () => 0 });
    const commands = [
      ...log.add("command", "\ufffd\ufffd\ufffdELF\ufffd"),
      ...log.add("command", "caf\ufffd is one bad byte"),
      ...log.end(),
    ];
    expect(texts(commands)).toEqual(["… 1 lines of binary data left out\ncaf\ufffd is one bad byte"]);
  });

  it("says how much came too fast to be read", () => {
    const log = new LogLines({ taskId: "command", now: () => 0 });
    log.skipped(5000);
    log.skipped(1);
    const commands = log.end();
    expect(commands).toMatchObject([{ taskId: "command" }]);
    expect(texts(commands)).toEqual(["… 5001 bytes left out: they came too fast to be read"]);
  });

  it("makes no event of empty lines alone", () => {
    const log = new LogLines({ taskId: "command", now: () => 0 });
    expect([...log.add("command", ""), ...log.add("command", " "), ...log.end()]).toEqual([]);
  });

  it("has nothing to say of nothing", () => {
    const log = new LogLines({ taskId: "command", now: () => 0 });
    expect([...log.due(), ...log.end()]).toEqual([]);
  });
});
