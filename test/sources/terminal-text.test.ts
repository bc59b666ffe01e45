import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { terminalText } from "../../src/sources/terminal-text.ts";

/** What was told, as `kind:text`, with OSC bodies as `osc:body`. */
function read(chunks: readonly (string | Uint8Array)[], { end = true } = {}): string[] {
  const told: string[] = [];
  const text = terminalText({
    line: (line, kind) => told.push(`${kind}:${line}`),
    control: (body) => told.push(`osc:${body}`),
  });
  for (const chunk of chunks) text.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  if (end) text.end();
  return told;
}

describe("terminal text", () => {
  it("gives lines without their colours", () => {
    expect(read(["\u001b[1;32mok\u001b[0m done\r\nnext\n"])).toEqual(["line:ok done", "line:next"]);
  });

  it("gives what stands when the stream ends without a newline", () => {
    expect(read(["half a li", "ne"])).toEqual(["line:half a line"]);
  });

  it("tells redraws by carriage return from lines", () => {
    expect(read(["10%\r20%\r\r100%\r\n"])).toEqual(["redraw:10%", "redraw:20%", "line:100%"]);
  });

  it("tells redraws by cursor movement, and lines that are painted again, from lines", () => {
    expect(read(["a 1\nb 1\n\u001b[2A\u001b[2Ka 2\n\u001b[2Kb 2\nc\n"])).toEqual([
      "line:a 1",
      "line:b 1",
      "redraw:a 2",
      "redraw:b 2",
      "line:c",
    ]);
    expect(read(["5%\u001b[2K\u001b[1G6%\n"])).toEqual(["redraw:5%", "line:6%"]);
    expect(read(["|\u001b[1G\u001b[0K", "\ndone\n"])).toEqual(["redraw:|", "line:", "line:done"]);
    expect(read(["5%\r6%\u001b[K\n"])).toEqual(["redraw:5%", "line:6%"]);
  });

  it("follows a spinner that goes back with backspaces", () => {
    expect(read(["wait |\b/\b-\bdone\n"])).toEqual(["line:wait done"]);
  });

  it("gives OSC bodies ended by BEL or by ST, and none of another string", () => {
    expect(
      read(["\u001b]9;4;1;50\u0007a\u001b]0;title\u001b\\b\u009c\u001bPq#0\u001b\\c\u001b_Gx\u001b\\d\n"]),
    ).toEqual(["osc:9;4;1;50", "osc:0;title", "line:abcd"]);
  });

  it("drops an OSC that is cancelled, and reads the sequence that cancels it", () => {
    expect(read(["\u001b]9;4;1;5\u001b[31mred\n"])).toEqual(["line:red"]);
    expect(read(["\u001b]9;4;1;5\u0018x\n"])).toEqual(["line:x"]);
  });

  it("does not let an unended sequence swallow what follows", () => {
    expect(read(["\u001b]9;4;1;5\nnext\n"])).toEqual(["line:", "line:next"]);
    const told = read(["\u001bP", "x".repeat(3 << 20), "\nnext\n"]);
    expect(told.at(-1)).toBe("line:next");
  });

  it("leaves out what is drawn on the alternate screen", () => {
    expect(read(["before\n\u001b[?1049hCPU 45%\nmore\n\u001b[?1049lafter\n"])).toEqual(["line:before", "line:after"]);
  });

  it("keeps no control character in any line", () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const line of read([all, all, "\n"])) expect(line).not.toMatch(/\p{Cc}/u);
  });

  it("cuts a line of 10 MB, says so, and goes on with the next", () => {
    const chunk = Buffer.alloc(65_536, "a");
    const before = process.memoryUsage().heapUsed;
    const told = read([...Array.from({ length: 160 }, () => chunk), "\nnext\n"]);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50e6);
    expect(told).toEqual([`line:${"a".repeat(4096)}…`, "line:next"]);
  });

  it("gives an unfinished line once when asked, and again when it has grown", () => {
    const told: string[] = [];
    const text = terminalText({ line: (line, kind) => told.push(`${kind}:${line}`), control: () => {} });
    text.peek();
    text.push(Buffer.from("[1/4] one"));
    text.peek();
    text.peek();
    text.push(Buffer.from(" more"));
    text.peek();
    text.push(Buffer.from("\n"));
    text.peek();
    expect(told).toEqual(["partial:[1/4] one", "partial:[1/4] one more", "line:[1/4] one more"]);
  });

  it("leaves out the rest of a line whose bytes were skipped", () => {
    const told: string[] = [];
    const text = terminalText({ line: (line, kind) => told.push(`${kind}:${line}`), control: () => {} });
    text.push(Buffer.from("one\n[3/"));
    text.skip();
    text.push(Buffer.from("9] x\ntwo\n"));
    expect(told).toEqual(["line:one", "line:two"]);
  });

  it("gives the same wherever the stream is split", () => {
    const piece = fc.constantFrom(
      "plain", " ", "\r", "\n", "\r\n", "\b", "\t", "é", "👍", "\u001b[31m", "\u001b[2K", "\u001b[1A", "\u001b]9;4;1;45\u0007", "\u001b]9;4;3\u001b\\",
      "\u001bPdcs\u001b\\", "\u001b(B", "\u001b", "\u0018", "45%", "[3/7] x", "\u001b[?1049h", "\u001b[?1049l", "\u009b",
    ); // prettier-ignore
    const property = fc.property(
      fc.array(piece, { maxLength: 40 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
      (pieces, sizes) => {
        const whole = Buffer.from(pieces.join(""));
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < whole.length;) {
          const size = sizes.next().value ?? 1;
          chunks.push(whole.subarray(at, at + size));
          at += size;
        }
        expect(read(chunks)).toEqual(read([whole]));
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it("ends for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => read([bytes]).every((line) => line.length <= 5000)),
    );
  });
});
