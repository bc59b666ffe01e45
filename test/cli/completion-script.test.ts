import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { cleanEnv, NODE_ARGUMENTS, run, temporaryFolder } from "./command-line.ts";
import { ended } from "./recorded.ts";

const inShell = (shell: string, words: readonly string[], { env = process.env } = {}) =>
  execFileSync(shell, words, { env, encoding: "utf8" });

const has = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0;

let scripts: Record<"bash" | "zsh" | "fish", string>;
beforeAll(async () => {
  const script = async (shell: string) => (await run(["completion", shell])).stdout;
  scripts = { bash: await script("bash"), zsh: await script("zsh"), fish: await script("fish") };
});

/** What bash would offer after these words, the last of which is being typed. */
const offered = (words: readonly string[], env: Record<string, string>) => {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const script = `${scripts.bash}\nCOMP_WORDS=(milepost ${quoted}); COMP_CWORD=${words.length}; _milepost; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return inShell("bash", ["--norc", "-c", script], { env }).trim().split("\n");
};

describe.skipIf(!has("bash"))("the completion of bash", () => {
  it("is registered for milepost", () => {
    const registered = inShell("bash", ["--norc", "-c", `${scripts.bash}\ncomplete -p milepost`]);
    expect(registered.trim()).toBe("complete -F _milepost milepost");
  });

  it("offers every verb, the verbs below them, and their options", () => {
    const env = cleanEnv();
    expect(offered([""], env)).toEqual(expect.arrayContaining(VERBS.map(({ name }) => name)));
    expect(offered(["wa"], env)).toEqual(["watch", "wait"]);
    expect(offered(["task", "st"], env)).toEqual(["start"]);
    expect(offered(["task", "start", "--na"], env)).toEqual(["--name"]);
    expect(offered(["--storage-path", "/x", "watch", "--on"], env)).toEqual(["--once"]);
    expect(offered(["completion", ""], env)).toEqual(expect.arrayContaining(["bash", "zsh", "fish"]));
  });

  it("offers the upgrades of the storage", async () => {
    const storagePath = temporaryFolder();
    await ended({ storagePath, upgradeId: "blue-1.34" });
    await ended({ storagePath, upgradeId: "green-1.34" });
    const program = join(storagePath, "milepost");
    writeFileSync(
      program,
      `#!/bin/sh\nexec '${process.execPath}' ${NODE_ARGUMENTS.map((word) => `'${word}'`).join(" ")} "$@"\n`,
    );
    chmodSync(program, 0o755);
    const env = cleanEnv({ MILEPOST_STORAGE_PATH: storagePath });
    env["PATH"] = `${storagePath}:${env["PATH"]}`;
    expect(offered(["show", "b"], env)).toEqual(["blue-1.34"]);
    expect(offered(["task", "add", "--upgrade", "g"], env)).toEqual(["green-1.34"]);
  });
});

describe.skipIf(!has("zsh"))("the completion of zsh", () => {
  it("is registered for milepost", () => {
    const script = `autoload -Uz compinit; compinit -D -u\n${scripts.zsh}\nprint -r -- $_comps[milepost]`;
    expect(inShell("zsh", ["-f", "-c", script]).trim()).toBe("_milepost");
  });
});

describe.skipIf(!has("fish"))("the completion of fish", () => {
  it("offers verbs, verbs below them, and options", () => {
    const offers = (line: string) =>
      inShell("fish", ["--no-config", "-c", `${scripts.fish}\ncomplete -C '${line}'`])
        .trim()
        .split("\n")
        .map((row) => row.split("\t")[0]);
    expect(offers("milepost wa")).toEqual(["wait", "watch"]);
    expect(offers("milepost task st")).toEqual(["start"]);
    expect(offers("milepost task start --na")).toContain("--name");
  });
});

describe("milepost completion", () => {
  it("knows three shells", async () => {
    expect((await run(["completion", "tcsh"])).stderr).toContain("shell must be one of bash, zsh, fish");
  });

  it("knows every verb in every shell", () => {
    for (const script of Object.values(scripts)) for (const { name } of VERBS) expect(script).toContain(name);
  });
});
