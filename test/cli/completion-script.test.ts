import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { cleanEnv, NODE_ARGUMENTS, run, temporaryFolder } from "./command-line.ts";
import { ended } from "./recorded.ts";

const inShell = (
  shell: string,
  words: readonly string[],
  { env = process.env, cwd }: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
) => execFileSync(shell, words, { env, encoding: "utf8", ...(cwd !== undefined && { cwd }) });

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

/** An environment in which `milepost` is the program, and its storage the folder. */
const withMilepost = (storagePath: string) => {
  const program = join(storagePath, "milepost");
  const command = [process.execPath, ...NODE_ARGUMENTS].map((word) => `'${word}'`).join(" ");
  writeFileSync(program, `#!/bin/sh\nexec ${command} "$@"\n`);
  chmodSync(program, 0o755);
  const env = cleanEnv({ MILEPOST_STORAGE_PATH: storagePath });
  return { ...env, PATH: `${storagePath}:${env["PATH"]}` };
};

/** Ids that a shell would run, spread or take apart. */
const HOSTILE = [
  "$(touch ran)",
  "`touch ran`",
  "${x:=$(touch ran)}",
  "*",
  "~",
  "two  words",
  `it's "quoted"`,
  "a;touch ran",
  "back\\slash",
  "-n",
];

const hostileStorage = async () => {
  const storagePath = temporaryFolder();
  for (const upgradeId of HOSTILE) await ended({ storagePath, upgradeId });
  return withMilepost(storagePath);
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
    const env = withMilepost(storagePath);
    expect(offered(["show", "b"], env)).toEqual(["blue-1.34"]);
    expect(offered(["task", "add", "--upgrade", "g"], env)).toEqual(["green-1.34"]);
  });

  it("[X3] offers ids that are shell code as what they are, and runs none of them, on TAB or on Enter", async () => {
    const env = await hostileStorage();
    const cwd = temporaryFolder();
    const script = `${scripts.bash}
      offer() { COMP_WORDS=(milepost show "$1"); COMP_CWORD=2; _milepost; }
      offer ''; for word in "\${COMPREPLY[@]}"; do eval "printf '%s\\n' $word"; done
      for typed in "$@"; do offer "$typed"; printf '<%s>\\n' "\${COMPREPLY[@]}"; done`;
    const typed = ["$(", "\\$", '"$(', "'$("];
    const lines = inShell("bash", ["--norc", "-c", script, "bash", ...typed], { env, cwd })
      .trimEnd()
      .split("\n");
    expect(readdirSync(cwd)).toEqual([]);
    expect(lines).toEqual(expect.arrayContaining(HOSTILE.filter((id) => !id.startsWith("-"))));
    expect(lines.slice(-5)).toEqual([
      "<\\$\\(touch\\ ran\\)>",
      "<\\$\\(touch\\ ran\\)>",
      "<\\$\\{x:=\\$\\(touch\\ ran\\)\\}>",
      "<>",
      "<$(touch ran)>",
    ]);
  });

  it("[X3] offers names of files quoted, too", () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "$(touch ran)"), "");
    const script = `${scripts.bash}\nCOMP_WORDS=(milepost export x -o ''); COMP_CWORD=4; _milepost; printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(inShell("bash", ["--norc", "-c", script], { cwd })).toBe("\\$\\(touch\\ ran\\)\n");
    expect(readdirSync(cwd)).toEqual(["$(touch ran)"]);
  });
});

describe.skipIf(!has("zsh"))("the completion of zsh", () => {
  it("is registered for milepost", () => {
    const script = `autoload -Uz compinit; compinit -D -u\n${scripts.zsh}\nprint -r -- $_comps[milepost]`;
    expect(inShell("zsh", ["-f", "-c", script]).trim()).toBe("_milepost");
  });

  it("[X3] gives ids that are shell code to compadd as what they are, and runs none of them", async () => {
    const env = await hostileStorage();
    const cwd = temporaryFolder();
    const script = `compdef() { :; }; compadd() { print -rl -- "\${(@P)@[-1]}"; }\n${scripts.zsh}
      words=(milepost show ''); CURRENT=3; _milepost; words=(milepost task add --upgrade ''); CURRENT=5; _milepost`;
    const lines = inShell("zsh", ["-f", "-c", script], { env, cwd }).trimEnd().split("\n");
    expect(readdirSync(cwd)).toEqual([]);
    for (const id of HOSTILE) expect(lines.filter((line) => line === id)).toHaveLength(2);
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

  it("[X3] offers ids that are shell code as what they are, and runs none of them", async () => {
    const env = await hostileStorage();
    const cwd = temporaryFolder();
    const words = ["--no-config", "-c", `${scripts.fish}\ncomplete -C 'milepost show '; complete -C 'milepost show -'`];
    const lines = inShell("fish", words, { env, cwd }).trimEnd().split("\n");
    expect(readdirSync(cwd)).toEqual([]);
    expect(lines).toEqual(expect.arrayContaining(HOSTILE.filter((id) => !id.startsWith("-"))));
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
