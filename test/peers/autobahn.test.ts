import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { tempFolder } from "../temp-folder.ts";
import { echoServer } from "./echo-server.ts";
import { python2Program, run } from "./python.ts";

interface Verdict {
  readonly behavior: string;
  readonly behaviorClose: string;
}

/** The largest messages of group 9 have 16 MiB, or come in 65,536 frames. */
const LIMITS = { maxMessageBytes: 17 * 1024 * 1024, maxFragments: 70_000 };
/** Verdicts that are no failure: the suite calls these cases informational, or accepts more than one answer. */
const NOT_A_FAILURE = new Set(["OK", "NON-STRICT", "INFORMATIONAL"]);

test("the conformance suite of Autobahn passes: every case of groups 1 to 10", async ({ skip }) => {
  const python = await python2Program();
  if (python === undefined) return skip("the suite is written for Python 2.7, and there is none here");
  const folder = tempFolder();
  const server = await echoServer(LIMITS);
  const cases = Array.from({ length: 10 }, (_, index) => `${index + 1}.*`);
  const spec = {
    url: `ws://127.0.0.1:${server.port}`,
    outdir: folder,
    servers: [{ agent: "milepost", url: `ws://127.0.0.1:${server.port}` }],
    cases,
    "exclude-cases": [],
    "exclude-agent-cases": {},
  };
  writeFileSync(join(folder, "spec.json"), JSON.stringify(spec));
  // Its packages share a namespace that a search path alone does not give.
  const script = `import site; site.addsitedir(${JSON.stringify(python.folder)}); from autobahntestsuite.wstest import run; run()`;
  await run(python.command, ["-c", script, "-m", "fuzzingclient", "-s", join(folder, "spec.json")], {
    env: python.env,
    maxBuffer: 1e8,
  });
  await server.close();
  const { milepost } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as {
    milepost: Record<string, Verdict>;
  };
  const verdicts = Object.entries(milepost);
  const notStrict = verdicts
    .filter(([, { behavior }]) => behavior !== "OK")
    .map(([id, { behavior }]) => `${id} ${behavior}`);
  process.stdout.write(`autobahn: ${verdicts.length} cases; not plainly OK: ${notStrict.join(", ") || "none"}\n`);
  expect(verdicts.length).toBeGreaterThan(240);
  expect(
    verdicts.filter(
      ([, { behavior, behaviorClose }]) => !NOT_A_FAILURE.has(behavior) || !NOT_A_FAILURE.has(behaviorClose),
    ),
  ).toEqual([]);
}, 900_000);
