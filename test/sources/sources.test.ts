import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observation } from "../../src/sources/observation.ts";
import { readCommand } from "../../src/sources/sources.ts";

interface Read {
  readonly observations: readonly Observation[];
  readonly lines: readonly string[];
}

function read(stdout: string | readonly Uint8Array[], { command = ["tool"], status = "" } = {}): Read {
  const observations: Observation[] = [];
  const lines: string[] = [];
  const reading = readCommand(
    command,
    { isTerminal: false, now: () => 0 },
    {
      observation: (observation) => observations.push(observation),
      line: (line) => lines.push(line),
      skipped: () => {},
    },
  );
  reading.status(Buffer.from(status));
  for (const chunk of typeof stdout === "string" ? [Buffer.from(stdout)] : stdout) reading.stdout(chunk);
  reading.end();
  return { observations, lines };
}

const percentages = ({ observations }: Read): (number | undefined)[] =>
  observations.map(({ percentage }) => percentage);

describe("the sources together", () => {
  it("[P5] reads nothing from output that tells nothing", () => {
    const told = read(
      "added 212 packages in 8s\n\n38 packages are looking for funding\n  run `npm fund` for details\n\nfound 0 vulnerabilities\n",
    );
    expect(told.observations).toEqual([]);
    expect(told.lines).toHaveLength(6);
  });

  it("[P5] reads stages and the percentage within one", () => {
    const told = read("[1/2] Fetching\r\n  10%\r  60%\r\n[2/2] Linking\n");
    expect(told.observations).toMatchObject([
      { stage: { number: 1 } },
      { percentage: 10 },
      { percentage: 60 },
      { stage: { number: 2 } },
    ]);
    expect(told.lines).toEqual(["[1/2] Fetching", "  60%", "[2/2] Linking"]);
  });

  it("[P5] asks plain text no more once the command has told its progress by OSC 9;4", () => {
    expect(percentages(read("50%\n\u001b]9;4;1;20\u0007\n70%\n\u001b]9;4;1;30\u0007\n"))).toEqual([50, 20, 30]);
  });

  it("[P5] keeps to plain text while OSC 9;4 tells no number", () => {
    expect(percentages(read("\u001b]9;4;3\u0007\n50%\n"))).toEqual([undefined, 50]);
  });

  it("[P5] asks nothing but apt's status once it has spoken", () => {
    const told = read("Progress: 10%\n\u001b]9;4;1;20\u0007[3/7] x\n", {
      command: ["apt-get", "install", "jq"],
      status: "pmstatus:jq:50.0000:Unpacking\n",
    });
    expect(told.observations).toMatchObject([{ stage: { series: "apt" }, percentage: 50 }]);
    expect(told.lines).toHaveLength(2);
  });

  it("reads stdout and stderr apart, so that a line of one does not break a line of the other", () => {
    const lines: string[] = [];
    const reading = readCommand(
      ["tool"],
      { isTerminal: false, now: () => 0 },
      { observation: () => {}, line: (line) => lines.push(line), skipped: () => {} },
    );
    reading.stdout(Buffer.from("out"));
    reading.stderr(Buffer.from("err\n"));
    reading.stdout(Buffer.from("put\n"));
    reading.end();
    expect(lines).toEqual(["err", "output"]);
  });

  it("looks at an unfinished line when asked, and takes no half number", () => {
    const observations: Observation[] = [];
    const reading = readCommand(
      ["tool"],
      { isTerminal: false, now: () => 0 },
      { observation: (told) => observations.push(told), line: () => {}, skipped: () => {} },
    );
    reading.stdout(Buffer.from("[2/3] copying"));
    reading.stderr(Buffer.from("Step 1/2"));
    reading.peek();
    expect(observations).toMatchObject([{ stage: { number: 2, of: 3 } }]);
  });

  /** Reads lines of `length` characters, one a millisecond, each of which takes 20 ms to read. */
  function flood(count: number, length: number) {
    let ms = 0;
    let skipped = 0;
    const lines: string[] = [];
    const handler = {
      observation: () => {},
      line(line: string) {
        lines.push(line);
        ms += 20;
      },
      skipped: (bytes: number) => (skipped += bytes),
    };
    const reading = readCommand(["tool"], { isTerminal: false, now: () => ms }, handler);
    for (let number = 0; number < count; number++) {
      ms += 1;
      reading.stdout(Buffer.from(`${String(number).padEnd(length - 1)}\n`));
    }
    const readInTime = lines.length;
    reading.end();
    return { lines, skipped, readInTime };
  }

  it("loses nothing of a little that comes faster than it can be read", () => {
    const { lines, skipped, readInTime } = flood(1000, 60);
    expect(readInTime).toBeLessThan(1000);
    expect(lines.map(Number)).toEqual(Array.from({ length: 1000 }, (_, number) => number));
    expect(skipped).toBe(0);
  });

  it("passes over much that comes faster than it can be read, says how much, and reads the end of it", () => {
    const { lines, skipped, readInTime } = flood(1000, 8000);
    expect(readInTime).toBeGreaterThan(20);
    expect(readInTime).toBeLessThan(60);
    expect(lines.length).toBeLessThan(80);
    expect(lines.slice(-5).map((line) => Number.parseInt(line, 10))).toEqual([995, 996, 997, 998, 999]);
    expect(skipped).toBeGreaterThan(900 * 8000);
  });

  it("reads the same wherever the output is split", () => {
    const piece = fc.constantFrom(
      "[1/4] a\n",
      "[2/4] b\r\n",
      "Downloading: 45%\r",
      "3 of 5 nodes done\n",
      "\u001b]9;4;1;33\u001b\\",
      "\u001b[32m50%\u001b[0m\n",
      "é\n",
      "x",
      "11/23\n",
    );
    const property = fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (pieces, size) => {
      const whole = Buffer.from(pieces.join(""));
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.subarray(index * size, (index + 1) * size),
      );
      expect(read(chunks)).toEqual(read([whole]));
    });
    fc.assert(property, { numRuns: 300 });
  });
});
