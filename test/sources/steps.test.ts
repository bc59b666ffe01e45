import { describe, expect, it } from "vitest";
import { findSteps } from "../../src/sources/steps.ts";

const line = (text: string) => findSteps({ text, kind: "line" });
const stage = (text: string) => line(text)?.stage;

describe("[n/m]", () => {
  it.each<[string, number, number, string]>([
    ["[1/4] Resolving packages...", 1, 4, "Resolving packages..."],
    ["[ 3/12] Compiling a.c", 3, 12, "Compiling a.c"],
    ["[10/10]: link", 10, 10, "link"],
    ["#8 [2/5] RUN apt-get update", 2, 5, "RUN apt-get update"],
    [
      "[INFO] Building Module A 1.0-SNAPSHOT                      [3/10]",
      3,
      10,
      "[INFO] Building Module A 1.0-SNAPSHOT",
    ],
    ["[ 3 of 10] Compiling Data.Map", 3, 10, "Compiling Data.Map"],
    ["(3/10) installing openssl", 3, 10, "installing openssl"],
    ["[+] Building 3.2s (4/9)", 4, 9, "[+] Building 3.2s"],
    ["Step 3/7 : RUN npm ci", 3, 7, "RUN npm ci"],
    ["== Stage 2 of 5: drain nodes", 2, 5, "drain nodes"],
    ["Phase 1/3", 1, 3, "Phase 1/3"],
    ["2026-11-23 10:00:01 Task 4 of 9 - restart kubelet", 4, 9, "restart kubelet"],
  ])("[P5] reads the stage in %s", (text, number, of, message) => {
    expect(line(text)).toMatchObject({ stage: { series: "", number, of }, message });
  });

  it("[P5] tells rows of stages apart by their name", () => {
    expect(stage("#9 [builder 2/6] RUN make")).toEqual({ series: "builder", number: 2, of: 6 });
    expect(stage("#12 [stage-1 3/4] COPY . .")).toEqual({ series: "stage-1", number: 3, of: 4 });
  });

  it.each<[string, number, number, string]>([
    ["3/5 nodes updated", 3, 5, "nodes"],
    ["3 of 5 nodes drained", 3, 5, "nodes"],
    ['Waiting for deployment "x" rollout to finish: 3 out of 5 new replicas have been updated...', 3, 5, "replicas"],
    ["0 of 5 nodes done", 0, 5, "nodes"],
    ["Draining 3 of 5 nodes", 2, 5, "nodes"],
    ["Node 3 of 5 is being drained", 2, 5, "nodes"],
    ["node 3/5", 2, 5, "nodes"],
    ["uploaded 12/40 files", 12, 40, "files"],
    ["Processing 3 of 9 dependencies", 2, 9, "dependencies"],
    ["Batch 2 of 3", 1, 3, "batches"],
  ])("[P5] counts %s", (text, completedSteps, totalSteps, unit) => {
    expect(line(text)).toMatchObject({ completedSteps, totalSteps, unit });
  });

  it.each([
    "11/23 backup taken",
    "on 11/23/2026 at noon",
    "[11/23] 10:00:01 started",
    "[11/23/2026] started",
    "add 1/2 cup of milk",
    "GET / HTTP/1.1",
    "/var/log/3/5/nodes",
    "https://example.org/3/5 nodes",
    "subnet 10.0.3.0/24 nodes",
    "CIDR [10/8]",
    "version 3/5",
    "NAME  READY  STATUS\napi   1/1  Running",
    "web-0   3/5     Running",
    "ratio 3/5",
    "3 of 5 nodes failed",
    "3/5 nodes remaining",
    "3 of 5 pods are unavailable",
    "attempt 3/5",
    "Retry 2 of 5 for node 3",
    "retrying step 2/5",
    "Step 7/5",
    "84/45 resources",
    "[0/5] nothing",
    "[1/1] only one",
    "[3/5",
    "Step 3/5/2026",
    "2 of the 5 nodes",
    "i/o 3",
    "and/or 5 nodes",
  ])("[P5] takes no number from %s", (text) => expect(line(text)).toBeUndefined());

  it("[P5] takes no number that may be unfinished", () => {
    expect(findSteps({ text: "Step 3/1", kind: "partial" })).toBeUndefined();
    expect(findSteps({ text: "node 3 of 1", kind: "partial" })).toBeUndefined();
    expect(findSteps({ text: "[3/10] linking", kind: "partial" })?.stage).toMatchObject({ number: 3, of: 10 });
  });

  it("[P5] leaves a count beside a percentage to the percentage", () => {
    expect(line("Receiving objects:  45% (450/1000)")).toBeUndefined();
  });
});
