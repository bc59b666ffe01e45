/* eslint-disable no-control-regex -- the marks of GitLab hold them */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newFolder, runScript } from "../run-command.ts";

const SCRIPT = "echo out; echo err >&2; env | grep MILEPOST_CI; exit 3";
const GITHUB = { GITHUB_ACTIONS: "true" };

const run = async (options: readonly string[], env: Record<string, string>) => {
  const { code, stdout, stderr } = await runScript(newFolder(), SCRIPT, {
    options: ["--name", "x ::y\n##[z]%0A", ...options],
    env,
  });
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
};

describe("milepost run in a build", () => {
  it("[P4] adds nothing outside of one, or when told not to", async () => {
    for (const [options, env] of [
      [[], {}],
      [["--ci", "none"], GITHUB],
      [["--quiet"], GITHUB],
      [[], { ...GITHUB, MILEPOST_CI: "none" }],
    ] as const)
      expect(await run(options, env)).toMatchObject({ code: 3, stderr: "err\n" });
  });

  it("[P4] [P12] writes a group, an annotation and a summary for GitHub, and none of it to standard output", async () => {
    const summary = join(newFolder(), "summary.md");
    const { code, stdout, stderr } = await run([], { ...GITHUB, GITHUB_STEP_SUMMARY: summary });
    expect([code, stdout]).toEqual([3, "out\nMILEPOST_CI=none\n"]);
    const name = "x ::y\\n## [z]%250A";
    expect(stderr.replace(/in \d+s/, "in 0s")).toBe(
      `::group::${name}\nerr\n::endgroup::\n::error title=milepost run::${name}: failed (exit code 3) in 0s\n`,
    );
    expect(readFileSync(summary, "utf8")).toMatch(/^### ✗ u on .*: failed after \d+s\n/);
  });

  it("writes a section for GitLab", async () => {
    const { stdout, stderr } = await run([], { GITLAB_CI: "true" });
    expect(stdout).toBe("out\nMILEPOST_CI=none\n");
    expect(stderr).toMatch(
      /^\x1b\[0Ksection_start:\d+:milepost_1\r\x1b\[0Kx ::y\\n##\[z\]%0A\nerr\n\x1b\[0Ksection_end:\d+:milepost_1\r\x1b\[0K\nERROR: /,
    );
  });

  it("refuses a system that it does not know", async () => {
    expect(await run(["--ci", "jenkins"], {})).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("--ci must be one of none"),
    });
  });
});
