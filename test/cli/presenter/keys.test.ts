import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keyReader, type Key } from "../../../src/cli/presenter/keys.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const read = () => {
  const keys: string[] = [];
  const reader = keyReader((key: Key) => keys.push(key.name === "char" ? key.char : `<${key.name}>`));
  return { keys, reader };
};

describe("keyReader", () => {
  it.each([
    ["abc", ["a", "b", "c"]],
    ["\x1b[A\x1b[B\x1b[C\x1b[D", ["<up>", "<down>", "<right>", "<left>"]],
    ["\x1bOA\x1bOH\x1bOF", ["<up>", "<home>", "<end>"]],
    ["\x1b[5~\x1b[6~\x1b[1~\x1b[4~\x1b[H", ["<page-up>", "<page-down>", "<home>", "<end>", "<home>"]],
    ["\r\n\t\x7f\b\x15", ["<enter>", "<enter>", "<tab>", "<backspace>", "<backspace>", "<clear>"]],
    ["\x03\x1c\x1a", ["<interrupt>", "<interrupt>", "<suspend>"]],
    ["\x1b[1;5A", ["<up>"]],
    // What no key of ours is: function keys, mouse and other reports, unknown controls.
    ["\x1b[15~\x1b[<0;3;4M\x1b[?1;2c\x1b[I\x00\x01x", ["x"]],
    ["é日👍", ["é", "日", "👍"]],
    // Escape, and then a letter at once: two keys.
    ["\x1bj", ["<escape>", "j"]],
  ])("reads %j", (sent, wanted) => {
    const { keys, reader } = read();
    reader.give(Buffer.from(sent));
    expect(keys).toEqual(wanted);
  });

  it("reads the same however it is cut into pieces", () => {
    const sent = Buffer.from("a\x1b[A日\x1b[5~\x1bOBq");
    for (let cut = 1; cut < sent.length; cut++) {
      const { keys, reader } = read();
      reader.give(sent.subarray(0, cut));
      reader.give(sent.subarray(cut));
      expect([cut, keys]).toEqual([cut, ["a", "<up>", "日", "<page-up>", "<down>", "q"]]);
    }
  });

  it("takes an Escape after which nothing comes for the key, and forgets a sequence that does not end", () => {
    const { keys, reader } = read();
    reader.give("\x1b");
    expect(keys).toEqual([]);
    vi.advanceTimersByTime(60);
    expect(keys).toEqual(["<escape>"]);
    reader.give("\x1b[12");
    vi.advanceTimersByTime(60);
    reader.give("x");
    expect(keys).toEqual(["<escape>", "x"]);
    reader.give("\x1b");
    reader.close();
    vi.advanceTimersByTime(60);
    expect(keys).toHaveLength(2);
  });
});
