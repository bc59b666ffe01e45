/* eslint-disable no-control-regex -- control sequences are what is looked for */
/** The display on a real pseudo-terminal: what is sent, at which sizes, and how the terminal is given back. */

import { readFileSync } from "node:fs";
import { spawn, type IPty } from "@lydell/node-pty";
import { describe, expect, it } from "vitest";
import { textWidth } from "../../src/view/text/column-width.ts";
import { cleanEnv, NODE_ARGUMENTS, temporaryFolder, until } from "./command-line.ts";
import { VirtualTerminal } from "./render/virtual-terminal.ts";
import { createStorageServer } from "../../src/server/storage-server.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { running } from "./recorded.ts";

interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface OnTerminal {
  readonly pty: IPty;
  readonly output: () => string;
  readonly done: Promise<number>;
}

const onTerminal = (
  argv: readonly string[],
  { columns, rows }: Size,
  { env = {}, program = process.execPath }: { readonly env?: Record<string, string>; readonly program?: string } = {},
): OnTerminal => {
  const words = program === process.execPath ? [...NODE_ARGUMENTS, ...argv] : [...argv];
  const pty = spawn(program, words, { cols: columns, rows, env: cleanEnv(env), name: "xterm-256color" });
  let text = "";
  pty.onData((data) => (text += data));
  const done = new Promise<number>((resolve) =>
    pty.onExit(({ exitCode, signal }) => resolve(signal ? 1000 + signal : exitCode)),
  );
  return { pty, output: () => text, done };
};

/** What one drawing sends. */
const frames = (output: string) =>
  [...output.matchAll(/\x1b\[\?2026h([^]*?)\x1b\[\?2026l/g)].map(([, frame = ""]) => frame);

/** The texts that were written, without control sequences. */
const writtenLines = (output: string) =>
  output.split(/[\r\n]+/).map((line) => line.replaceAll(/\x1b\[[?\d;]*[A-Za-z]/g, ""));

const shownOn = (size: Size, output: string) => {
  const terminal = new VirtualTerminal(size.columns, size.rows);
  terminal.write(output);
  return terminal;
};

const SIZES: readonly Size[] = [
  { columns: 80, rows: 24 },
  { columns: 200, rows: 60 },
  { columns: 40, rows: 10 },
  { columns: 20, rows: 5 },
];

describe("the live display on a pseudo-terminal", () => {
  it.each(SIZES)(
    "[P7] keeps within $columns x $rows, draws in place, sends little, and gives the terminal back",
    async (size) => {
      const demo = onTerminal(["demo", "--speed", "4000", "--storage-path", temporaryFolder()], size);
      expect(await demo.done).toBe(0);
      const output = demo.output();
      for (const line of writtenLines(output.slice(0, output.lastIndexOf("\x1b[?2026l"))))
        expect(textWidth(line)).toBeLessThanOrEqual(size.columns);
      // VirtualTerminal throws at everything but relative moves, colours and the three modes: no full clear, no absolute move.
      const terminal = shownOn(size, output);
      expect(terminal).toMatchObject({ isCursorShown: true, isWrapping: true, isUpdating: false });
      const drawn = frames(output);
      expect(drawn.length).toBeGreaterThan(1);
      const drawnRows = Math.min(size.rows, 45);
      for (const frame of drawn)
        expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(drawnRows * (Math.min(120, size.columns) * 3 + 60));
      // Most drawings change a few lines only.
      const average = drawn.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0) / drawn.length;
      expect(average).toBeLessThan(drawnRows * 90);
      expect(terminal.text.join("\n")).toMatch(/completed.*100%/s);
    },
  );

  it("draws for the new size after the window was resized", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    const watch = onTerminal(["watch", "--storage-path", storagePath], { columns: 100, rows: 30 });
    await until(() => watch.output().includes("q leaves"), "the first frame");
    const before = watch.output().length;
    watch.pty.resize(60, 30);
    await until(
      () => writtenLines(watch.output().slice(before)).some((line) => /^● running {8}Node n1 .{0,43}$/.test(line)),
      "a frame for the new size",
    );
    for (const line of writtenLines(watch.output().slice(before))) expect(textWidth(line)).toBeLessThanOrEqual(60);
    const after = watch.output().length;
    const terminal = shownOn({ columns: 100, rows: 30 }, watch.output().slice(0, before));
    terminal.resize(60, 30);
    terminal.write(watch.output().slice(before, after));
    // Of the frame for the wider window nothing is left in sight.
    expect(terminal.text.filter((line) => line.includes("upgrade-123"))).toHaveLength(1);
    watch.pty.write("q");
    expect(await watch.done).toBe(0);
    expect(watch.output()).not.toContain("\x1b[2J");
    await tracker.close();
  });

  it.each([
    ["Ctrl-C", 130, ({ pty }: OnTerminal) => pty.write("\x03")],
    ["the key q", 0, ({ pty }: OnTerminal) => pty.write("q")],
    ["SIGTERM", 143, (_: OnTerminal, pid: number) => process.kill(pid, "SIGTERM")],
    ["SIGINT", 130, (_: OnTerminal, pid: number) => process.kill(pid, "SIGINT")],
    ["SIGHUP", 129, (_: OnTerminal, pid: number) => process.kill(pid, "SIGHUP")],
    ["Ctrl-C while a text is typed", 130, ({ pty }: OnTerminal) => pty.write("/ab\x03")],
    ["a crash", 1, (_: OnTerminal, pid: number) => process.kill(pid, "SIGUSR2")],
  ])("[P10] is given back as it was when left by %s (exit %i)", async (_how, exitCode, leave) => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    const size = { columns: 80, rows: 24 };
    const crash = "data:text/javascript,process.on('SIGUSR2',()=>{throw%20new%20Error('crash')})";
    const command = `sh -c 'echo $$ > ${storagePath}/pid; exec "$@"' - ${[process.execPath, "--import", crash, ...NODE_ARGUMENTS].map((word) => `"${word}"`).join(" ")}`;
    const shell = onTerminal(
      ["-c", `${command} watch --storage-path ${storagePath}; code=$?; stty -a; exit $code`],
      size,
      { program: "bash" },
    );
    await until(() => shell.output().includes("q leaves"), "the first frame");
    leave(shell, Number(readFileSync(`${storagePath}/pid`, "utf8")));
    expect(await shell.done).toBe(exitCode);
    const output = shell.output();
    expect(output).toMatch(/[^-]icanon.*[^-]echo /s);
    const upToEnd = output.slice(0, output.lastIndexOf("\x1b[?25h") + 6);
    expect(shownOn(size, upToEnd)).toMatchObject({ isCursorShown: true, isWrapping: true, isUpdating: false });
    expect(output.slice(upToEnd.length)).not.toContain("\x1b[?");
    await tracker.close();
  });

  it("goes on when Ctrl-Z cannot stop it, for want of a shell", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    const watch = onTerminal(["watch", "--storage-path", storagePath], { columns: 80, rows: 24 });
    await until(() => watch.output().includes("q leaves"), "the first frame");
    const before = watch.output().length;
    watch.pty.write("\x1a");
    await until(() => watch.output().slice(before).includes("q leaves"), "another frame");
    watch.pty.write("q");
    expect(await watch.done).toBe(0);
    await tracker.close();
  });

  it("stops by Ctrl-Z and goes on by fg, as other programs do", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    const size = { columns: 80, rows: 24 };
    const shell = onTerminal(["--norc", "-i"], size, { program: "bash", env: { PS1: "shell> " } });
    shell.pty.write(`${[process.execPath, ...NODE_ARGUMENTS].join(" ")} watch --storage-path ${storagePath}\r`);
    await until(() => shell.output().includes("q leaves"), "the first frame");
    shell.pty.write("\x1a");
    await until(() => shell.output().includes("Stopped"), "the shell to say so");
    expect(shell.output().slice(0, shell.output().indexOf("Stopped"))).toMatch(/\x1b\[\?25h[^]*$/);
    const before = shell.output().length;
    shell.pty.write("fg\r");
    await until(() => shell.output().slice(before).includes("q leaves"), "another frame");
    shell.pty.write("q");
    await until(() => shell.output().slice(before).includes("\x1b[?25h"), "the cursor");
    shell.pty.write("exit\r");
    await shell.done;
    await tracker.close();
  });

  it("[P7] is looked through by keys, and sends little for it", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    for (let index = 0; index < 60; index++) tracker.addTask(`more-${index}`, `More ${index} \x1b[2J\u202e日本`);
    const size = { columns: 80, rows: 24 };
    const watch = onTerminal(["watch", "upgrade-123", "--storage-path", storagePath], size);
    const screenNow = () => shownOn(size, watch.output()).text;
    const selected = () => screenNow().find((line) => line.startsWith("❯"));
    const press = async (keys: string, what: RegExp) => {
      watch.pty.write(keys);
      await until(() => what.test(selected() ?? ""), `${JSON.stringify(keys)}: ${what}`);
    };
    await until(() => watch.output().includes("q leaves"), "the first frame");
    await press("j", /Node n2/);
    await press("\x1b[A", /Node n1/);
    await press("\x1b[D", /Node group/);
    await press(" ", /Node group ▸/);
    await press("\x1b[C", /Node group {2,}/);
    await press("G", /More|not started/);
    const before = watch.output().length;
    const line = screenNow().findIndex((text) => text.startsWith("❯"));
    for (let percent = 41; percent < 60; percent++) tracker.updateTaskProgress("n1", percent);
    tracker.clearWaitingOn("n2");
    tracker.completeTask("n2");
    await until(() => screenNow().join("\n").includes("2 of 65 tasks completed"), "the news");
    expect(screenNow().findIndex((text) => text.startsWith("❯"))).toBe(line);
    // A key moves two lines: it is not the whole window that is sent.
    const from = watch.output().length;
    await press("k", /❯/);
    await until(() => watch.output().length > from, "a frame");
    for (const frame of frames(watch.output().slice(before))) expect(Buffer.byteLength(frame)).toBeLessThan(2500);
    watch.pty.write("/n3");
    await until(() => screenNow().some((text) => text.includes("1 of 65 tasks")), "what is looked for");
    watch.pty.write("q");
    await until(() => screenNow().at(-1)?.startsWith("look for: n3q_") === true, "q as a letter");
    watch.pty.write("\x1b");
    await until(() => screenNow().at(-1)?.includes("esc back") === true, "the end of typing");
    watch.pty.write("?");
    await until(() => screenNow().includes("Keys"), "the keys");
    watch.pty.write("xq");
    expect(await watch.done).toBe(0);
    expect(watch.output()).not.toMatch(/\x1b\[2J|\x1b\[\?1049|\x1b\[\?100|\u202e/);
    await tracker.close();
  });

  it("[P7] lists all upgrades, opens one and comes back", async () => {
    const storagePath = temporaryFolder();
    const one = running({ storagePath, upgradeId: "one" });
    const two = running({ storagePath, upgradeId: "two", clusterName: "other" });
    const size = { columns: 80, rows: 24 };
    const watch = onTerminal(["watch", "--storage-path", storagePath], size);
    const screenNow = () => shownOn(size, watch.output()).text.join("\n");
    await until(() => screenNow().includes("2 under way") && screenNow().includes("❯"), "the list");
    const [first, second] =
      screenNow().indexOf(" one ") < screenNow().indexOf(" two ") ? ["one", "two"] : ["two", "one"];
    watch.pty.write("\x1b[B\r");
    await until(() => screenNow().startsWith(`${second} on `), "the second");
    (second === "one" ? one : two).completeUpgrade();
    await until(() => /✓ completed/.test(screenNow().split("\n")[0] ?? ""), "its end, and it stays");
    watch.pty.write("\x1b");
    await until(() => screenNow().includes("1 under way, 1 ended"), "the list again");
    expect(screenNow()).toMatch(new RegExp(`❯ ${second} .*completed`));
    watch.pty.write("/");
    watch.pty.write(first ?? "");
    await until(() => !screenNow().includes(` ${second} `), "the filter");
    watch.pty.write("\r");
    watch.pty.write("q");
    expect(await watch.done).toBe(0);
    await Promise.all([one.close(), two.close()]);
  });

  it("opens the only unfinished upgrade at once, and ends with it", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    const size = { columns: 80, rows: 24 };
    const watch = onTerminal(["watch", "--storage-path", storagePath], size);
    await until(() => watch.output().includes("esc back"), "the first frame");
    tracker.failUpgrade("no capacity");
    expect(await watch.done).toBe(7);
    const { text, isCursorShown } = shownOn(size, watch.output());
    expect(text.join("\n")).toMatch(/✗ failed.*no capacity/s);
    expect(text.join("\n")).not.toContain("q leaves");
    expect(isCursorShown).toBe(true);
    await tracker.close();
  });

  it("[P7] draws all again when the window changes again and again while events arrive", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    const watch = onTerminal(["watch", "upgrade-123", "--storage-path", storagePath], { columns: 100, rows: 30 });
    await until(() => watch.output().includes("q leaves"), "the first frame");
    for (const [columns, rows] of [
      [60, 12],
      [200, 60],
      [20, 5],
      [80, 24],
    ] as const) {
      const from = watch.output().length;
      tracker.updateTaskProgress("n1", 41 + (columns % 50));
      watch.pty.resize(columns, rows);
      tracker.updateTaskProgress("n1", 40);
      await until(() => frames(watch.output().slice(from)).length > 0, `a frame for ${columns} columns`);
      // What was drawn for the size before may still be on its way.
      const last = frames(watch.output().slice(from)).at(-1) ?? "";
      expect(last.split("\r\n").length).toBeLessThanOrEqual(60);
    }
    await until(() => frames(watch.output()).at(-1) !== undefined, "the last frame");
    watch.pty.write("q");
    expect(await watch.done).toBe(0);
    expect(watch.output()).not.toContain("\x1b[2J");
    await tracker.close();
  });

  it("says on the last line that the server is away, and goes on when it is back", async () => {
    const storagePath = temporaryFolder();
    const tracker = running({ storagePath });
    const begin = async (port: number) => {
      const server = createStorageServer({ storage: jsonLines({ path: storagePath }), port });
      return { server, ...(await server.listen()) };
    };
    const { server, port } = await begin(0);
    const size = { columns: 100, rows: 24 };
    const watch = onTerminal(["watch", "upgrade-123", "--server", `http://127.0.0.1:${port}`], size);
    const lastLine = () => shownOn(size, watch.output()).text.at(-1) ?? "";
    await until(() => lastLine().startsWith("live · started"), "live");
    await server.close();
    await until(() => /^reconnecting (in \d+ s|now)/.test(lastLine()), "the loss");
    const again = await begin(port);
    await until(() => lastLine().startsWith("live · started"), "live again", 20_000);
    tracker.completeUpgrade();
    expect(await watch.done).toBe(0);
    await again.server.close();
    await tracker.close();
  });
});
