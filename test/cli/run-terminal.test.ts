import { spawn as spawnInTerminal, type IPty } from "@lydell/node-pty";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { cleanEnv, NODE_ARGUMENTS, until } from "./command-line.ts";
import { dataOf, eventsOf, ID, newFolder, stateOf, taskOf } from "./run-command.ts";

interface Terminal {
  readonly pty: IPty;
  readonly text: () => string;
  readonly ended: Promise<{ readonly exitCode: number; readonly signal: number }>;
}

const open: IPty[] = [];
afterEach(() => {
  for (const pty of open.splice(0)) {
    try {
      pty.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
});

/** Runs a program in a terminal of 91 columns and 33 rows. */
function inTerminal(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Record<string, string> },
): Terminal {
  const pty = spawnInTerminal(program, [...args], { cols: 91, rows: 33, cwd, env: cleanEnv(env) });
  open.push(pty);
  let text = "";
  pty.onData((data) => (text += data));
  const ended = new Promise<{ exitCode: number; signal: number }>((resolve) =>
    pty.onExit(({ exitCode, signal = 0 }) => resolve({ exitCode, signal })),
  );
  return { pty, text: () => text, ended };
}

const milepost = (folder: string, ...options: readonly string[]): readonly string[] => [
  ...NODE_ARGUMENTS,
  "run",
  "--id",
  ID,
  "--storage-path",
  dataOf(folder),
  ...options,
  "--",
];

/** `milepost run` in a terminal. */
const run = (folder: string, command: readonly string[], options: readonly string[] = []): Terminal =>
  inTerminal(process.execPath, [...milepost(folder, ...options), ...command], { cwd: folder });

/** A shell script in a terminal; `$RUN` in it is `milepost run … --`. */
const script = (folder: string, text: string): Terminal =>
  inTerminal("sh", ["-c", text.replaceAll("$RUN", [process.execPath, ...milepost(folder)].join(" "))], { cwd: folder });

const SHOWS =
  "test -t 0 && echo in; test -t 1 && echo out; test -t 2 && echo err; stty size <&1; tty >/dev/null && : </dev/tty && echo keyboard";

describe("milepost run in a terminal", () => {
  it("[P4] gives the command a terminal of the same size and settings, with a keyboard", async () => {
    const folder = newFolder();
    const terminal = script(
      folder,
      `stty -g > outer; stty -echo erase ^H; stty -g > set; $RUN sh -c '${SHOWS}; stty -g > inner'; stty -g > after`,
    );
    expect((await terminal.ended).exitCode).toBe(0);
    expect(terminal.text()).toMatch(/^in\r\nout\r\nerr\r\n33 91\r\nkeyboard\r\nmilepost: /);
    const settings = inTerminal("sh", ["-c", "cmp set inner && cmp set after && ! cmp -s outer set && echo same"], {
      cwd: folder,
    });
    await settings.ended;
    expect(settings.text()).toBe("same\r\n");
  });

  it("[P4] has the command's exit code, and says in one line how it ended", async () => {
    const folder = newFolder();
    const terminal = run(folder, ["sh", "-c", "echo hi; exit 5"]);
    expect(await terminal.ended).toEqual({ exitCode: 5, signal: 0 });
    expect(terminal.text()).toMatch(
      /^hi\r\nmilepost: sh -c 'echo hi; exit 5': failed \(exit code 5\) in \d+s; milepost show u\r\n$/,
    );
    expect(await stateOf(folder)).toMatchObject({ status: "failed", errorMessage: "exit code 5" });
  });

  it("[P4] adds nothing with --quiet", async () => {
    const terminal = run(newFolder(), ["echo", "hi"], ["--quiet"]);
    await terminal.ended;
    expect(terminal.text()).toBe("hi\r\n");
  });

  it("[P4] shows what the command shows, byte for byte, as much as it is", async () => {
    const folder = newFolder();
    const line = `${"0123456789".repeat(8)}\u001b[31m é \u001b[0m\u001b]0;title\u0007`;
    writeFileSync(join(folder, "file"), `${line}\n`.repeat(20_000));
    const terminal = run(folder, ["cat", "file"], ["--quiet"]);
    await terminal.ended;
    expect(terminal.text() === `${line}\r\n`.repeat(20_000)).toBe(true);
  });

  it("[P4] shows line feeds as the command sends them", async () => {
    const terminal = run(newFolder(), ["sh", "-c", "stty raw; printf 'a\\nb\\r\\nc'; stty sane"], ["--quiet"]);
    await terminal.ended;
    expect(terminal.text()).toBe("a\nb\r\nc");
  });

  it("[P4] passes typed bytes on as they are", async () => {
    const folder = newFolder();
    const terminal = run(
      folder,
      ["sh", "-c", "stty raw -echo; echo ready; head -c 12 | od -An -tx1; stty sane"],
      ["--quiet"],
    );
    await until(() => terminal.text().includes("ready"), "the command is ready");
    terminal.pty.write("\u0003\u001b[A\r\n\té\u001a\u0004\u007f");
    await terminal.ended;
    expect(terminal.text()).toContain("03 1b 5b 41 0d 0a 09 c3 a9 1a 04 7f");
  });

  it("[P4] tells the command when the size changes", async () => {
    const folder = newFolder();
    const terminal = run(
      folder,
      ["sh", "-c", "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done"],
      ["--quiet"],
    );
    await until(() => terminal.text().includes("ready"), "the command is ready");
    terminal.pty.resize(60, 20);
    await terminal.ended;
    expect(terminal.text()).toBe("ready\r\n20 60\r\n");
  });

  it("[P4] gives Ctrl-C to the command, dies of the same signal, and leaves the terminal as it was", async () => {
    const folder = newFolder();
    const terminal = script(
      folder,
      "stty -a > before; trap : INT; $RUN sh -c 'echo ready; exec sleep 60'; echo \"code $?\"; stty -a > after; cmp before after && echo same",
    );
    await until(() => terminal.text().includes("ready"), "the command runs");
    terminal.pty.write("\u0003");
    await terminal.ended;
    expect(terminal.text()).toMatch(
      /^ready\r\n\^Cmilepost: sh -c 'echo ready; exec sleep 60': cancelled \(interrupted: killed by SIGINT\) in \d+s; milepost show u\r\ncode 130\r\nsame\r\n$/,
    );
    expect(await stateOf(folder)).toMatchObject({ status: "cancelled", message: "interrupted: killed by SIGINT" });
  });

  it("[P4] gives the command Ctrl-C once, and lets it end as it likes", async () => {
    const folder = newFolder();
    const program =
      "let n = 0; process.on('SIGINT', () => { n++; setTimeout(() => { console.log('got ' + n); process.exit(9); }, 500); }); setInterval(() => {}, 99); console.log('ready')";
    const terminal = run(folder, [process.execPath, "-e", program], ["--quiet"]);
    await until(() => terminal.text().includes("ready"), "the command is ready");
    terminal.pty.write("\u0003");
    expect(await terminal.ended).toEqual({ exitCode: 9, signal: 0 });
    expect(terminal.text()).toBe("ready\r\n^Cgot 1\r\n");
    expect((await stateOf(folder)).errorMessage).toBe("exit code 9");
  });

  it.each([
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const)("[P4] passes %s on to the command, dies of it, and gives the terminal back", async (signal, number) => {
    const folder = newFolder();
    const terminal = run(folder, ["sh", "-c", "echo ready; exec sleep 60"], ["--quiet"]);
    await until(() => terminal.text().includes("ready"), "the command is ready");
    terminal.pty.kill(signal);
    expect(await terminal.ended).toEqual({ exitCode: 0, signal: number });
    expect(await stateOf(folder)).toMatchObject({ status: "cancelled", message: `stopped by ${signal}` });
    expect((await eventsOf(folder)).at(-1)?.type).toBe("writer.closed");
  });

  it("[P4] hangs up a whole job when the terminal is closed", async () => {
    const folder = newFolder();
    const terminal = run(
      folder,
      [
        "sh",
        "-c",
        "trap : HUP; sh -c 'trap \"echo inner > inner; exit\" HUP; echo ready; while :; do sleep 0.05; done'; exit 4",
      ],
      ["--quiet"],
    );
    await until(() => terminal.text().includes("ready"), "the command is ready");
    terminal.pty.kill("SIGHUP");
    await terminal.ended;
    const inner = inTerminal("cat", ["inner"], { cwd: folder });
    await inner.ended;
    expect(inner.text()).toBe("inner\r\n");
  });

  it("[P4] gives the command its own input where that is no terminal, and a terminal for the rest", async () => {
    const folder = newFolder();
    const terminal = script(folder, `printf 'a\\nb\\004c' | $RUN sh -c '${SHOWS}; od -An -c'`);
    await terminal.ended;
    expect(terminal.text()).toMatch(/^out\r\nerr\r\n33 91\r\n\s+a\s+\\n\s+b\s+004\s+c\r\nmilepost: /);
  });

  it("[P4] reads an input file from where it stands", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "input"), "one\ntwo\nthree\n");
    const terminal = script(folder, "{ read a; $RUN sh -c 'test -t 1 && read b; echo $b'; read c; echo $c; } < input");
    await terminal.ended;
    expect(terminal.text()).toMatch(/^two\r\nmilepost: .*\r\nthree\r\n$/s);
  });

  it("[P4] keeps stdout and stderr apart where one of them is no terminal", async () => {
    const folder = newFolder();
    const one = script(folder, "$RUN sh -c 'test -t 2 || echo err; printf \"to err\\n\" >&2' 2> err; cat err");
    await one.ended;
    expect(one.text()).toBe("err\r\nto err\r\n");
    const other = script(folder, "$RUN sh -c 'test -t 1 || echo no; test -t 2 && echo to err >&2' > out; cat out");
    await other.ended;
    expect(other.text()).toMatch(/^to err\r\nmilepost: .*\r\nno\r\n$/s);
  });

  it("[P5] reads progress from what is drawn", async () => {
    const folder = newFolder();
    const terminal = run(folder, [
      "sh",
      "-c",
      "for i in 10 40 80; do printf '\\rworking %s%%' $i; sleep 0.4; done; exit 3",
    ]);
    await terminal.ended;
    expect(await taskOf(folder)).toMatchObject({ percentage: 80, isMeasured: true, errorMessage: "exit code 3" });
  });

  it("[P5] reads nothing from a full-screen program", async () => {
    const folder = newFolder();
    const terminal = run(folder, [
      "sh",
      "-c",
      "printf '\\033[?1049h\\033[HProgress: 45%%\\n[3/7] x\\n'; sleep 0.5; printf '\\033[?1049l'",
    ]);
    await terminal.ended;
    expect((await stateOf(folder)).tasks.size).toBe(1);
    expect(
      (await eventsOf(folder)).filter(({ type }) => type === "task.progressed" || type === "log.appended"),
    ).toEqual([]);
  });

  it("[P4] ends with the command though something it has started goes on", async () => {
    const folder = newFolder();
    const terminal = run(folder, ["sh", "-c", "setsid sleep 5 & echo done"], ["--quiet"]);
    const from = performance.now();
    await terminal.ended;
    expect(performance.now() - from).toBeLessThan(4000);
    expect(terminal.text()).toBe("done\r\n");
  });

  it("[P4] in the background, leaves the terminal's settings and keys alone", async () => {
    const folder = newFolder();
    const terminal = inTerminal("bash", ["--norc", "-i"], { cwd: folder, env: { PS1: "$ ", HISTFILE: "" } });
    terminal.pty.write(
      `${[process.execPath, ...milepost(folder)].join(" ")} sh -c 'sleep 0.5; test -t 1 && printf "\\n%s\\n" out' &\r`,
    );
    await until(() => terminal.text().includes("\nout"), "the command has run");
    terminal.pty.write("wait; jobs; echo en''d\r");
    // A carriage return or a newline stands before it: the shell leaves bracketed paste with the one, a finished job's line ends with the other.
    await until(() => /[\r\n]end\r/.test(terminal.text()), "the shell goes on");
    expect(terminal.text()).not.toContain("Stopped");
    expect((await stateOf(folder)).status).toBe("completed");
  });

  /** Makes the package for pseudo-terminals impossible to load. */
  const WITHOUT_PTY =
    'const m = require("node:module"); const load = m._load; m._load = (name, ...rest) => { if (name.includes("node-pty")) throw new Error("not installed"); return load(name, ...rest); };';

  it("[P4] runs the command in the terminal of script(1) where the package is not there, and says so", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "without.cjs"), WITHOUT_PTY);
    const args = ["--require", join(folder, "without.cjs"), ...milepost(folder), "sh", "-c", `${SHOWS}; exit 6`];
    const terminal = inTerminal(process.execPath, args, { cwd: folder });
    expect((await terminal.ended).exitCode).toBe(6);
    expect(terminal.text()).toMatch(
      /^milepost: no pseudo-terminal of its own .*script\(1\)\r*\nin\r*\nout\r*\nerr\r*\n33 91\r*\nkeyboard\r*\nmilepost: /s,
    );
  });

  it("[P4] runs the command without a terminal where there is neither, and says so", async () => {
    const folder = newFolder();
    writeFileSync(
      join(folder, "without.cjs"),
      `${WITHOUT_PTY} const c = require("node:child_process"); const s = c.spawnSync; c.spawnSync = (file, ...rest) => s(file === "script" ? "/no/such" : file, ...rest); m.syncBuiltinESMExports();`,
    );
    const args = [
      "--require",
      join(folder, "without.cjs"),
      ...milepost(folder),
      "sh",
      "-c",
      "test -t 0 && echo in; test -t 1 || echo no; exit 6",
    ];
    const terminal = inTerminal(process.execPath, args, { cwd: folder });
    expect((await terminal.ended).exitCode).toBe(6);
    expect(terminal.text()).toMatch(/^milepost: no pseudo-terminal .*without a terminal\r\nin\r\nno\r\nmilepost: /s);
  });
});
