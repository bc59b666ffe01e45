import { describe, expect, it } from "vitest";
import { findPercentage, percent } from "../../src/sources/percent.ts";

const line = (text: string) => findPercentage({ text, kind: "line" })?.percentage;
const redraw = (text: string) => findPercentage({ text, kind: "redraw" })?.percentage;

describe("NN%", () => {
  it.each<[string, number]>([
    ["[ 45%] Building CXX object src/a.cc.o", 45],
    ["  7% [=>                    ]", 7],
    ["45%", 45],
    ["100 %", 100],
    ["12.5%", 12.5],
    ["12,5 %", 12.5],
    ["[45%]", 45],
    ["Receiving objects:  45% (450/1000), 1.20 MiB | 600 KiB/s", 45],
    ["Downloading: 33%", 33],
    ["Upgrading cluster prod-1: 60%", 60],
    ["Progress: 20%", 20],
    ["Progress: [ 66%] [#########.....]", 66],
    ["upgrade 80% complete", 80],
    ["Completion:      3% (1 operators updated, 2 updating, 30 waiting)", 3],
    ["Working towards 4.15.0: 123 of 863 done (14% complete)", 14],
    ["tests/test_api.py ......                 [ 42%]", 42],
    ["|████████░░░░| 66% of the rows", 66],
    ["50% done", 50],
    ["45% complete, 3 min remaining", 45],
  ])("[P5] reads %s", (text, percentage) => expect(line(text)).toBe(percentage));

  it.each([
    "CPU usage: 45%",
    "Disk 81% full",
    "Statements   : 93.1% ( 1200/1289 )",
    "All files | 93%",
    "Save 50% on your next order",
    "cache hit rate 99%",
    "4 packets transmitted, 0% packet loss",
    "10% of pods are unhealthy",
    "Batch size is 25% of the fleet",
    "GET /search?q=a%20b HTTP/1.1",
    "printf '%d%%'",
    "a 110% increase",
    "120%",
    "-5%",
    "+5%",
    "1.2.3%",
    "max surge 25%, max unavailable 25%",
    "worker        Pending      0% (0/3)     3 Available, 0 Progressing, 0 Draining",
    "10% 20% 30%",
    "Reading package lists... 45%",
    "(Reading database ... 45%",
    "Error rate rising: 12%",
    "width: 50%",
    "p99% latency",
    "Upgrading: 30% left",
  ])("[P5] takes no number from %s", (text) => expect(line(text)).toBeUndefined());

  it("[P5] takes a number more easily from a line that is drawn over itself", () => {
    expect(line("layer 3 of the image, 45% so far")).toBeUndefined();
    expect(redraw("layer 3 of the image, 45% so far")).toBe(45);
    expect(redraw("  1,238,099 100%  146.38kB/s    0:00:08 (xfr#5, to-chk=169/396)")).toBe(100);
    expect(redraw("[#2089b0 400.0KiB/33.2MiB(1%) CN:1 DL:115.7KiB ETA:4m51s]")).toBe(1);
    expect(redraw("CPU 45%")).toBeUndefined();
    expect(redraw("Reading package lists... 45%")).toBeUndefined();
  });

  it("tells the words of the line, without the bar", () => {
    const message = (text: string) =>
      percent.begin([], { isTerminal: false })?.line?.({ text, kind: "redraw" })[0]?.message;
    expect(message("Downloading jq  [#####.....] 45%  1.2 MB/s")).toBe("Downloading jq 45% 1.2 MB/s");
    expect(message("45% [====>      ]")).toBeUndefined();
  });

  it("[P5] takes no number from a bar that is full when it is first seen", () => {
    const reading = percent.begin([], { isTerminal: false });
    const told = [
      "Counting objects: 100% (5/5), done.",
      "Compressing objects:  50% (2/4)",
      "Compressing objects: 100% (4/4), done.",
      "Receiving objects: 10% (1/9)",
    ].flatMap((text) => reading?.line?.({ text, kind: "redraw" }) ?? []);
    expect(told.map(({ percentage }) => percentage)).toEqual([undefined, 50, 100, 10]);
    expect(told[0]?.message).toBe("Counting objects: 100% (5/5), done.");
  });
});
