/** `milepost doctor`: looks at the machine and the storage, and says what to do. */

import type { Command } from "commander";
import type { Cli, CommonOptions } from "../context.ts";
import { sayLines } from "../context.ts";
import type { Finding } from "../doctor/finding.ts";
import { checkDisk, checkFolder, checkLocking, checkNode, checkPseudoTerminal } from "../doctor/machine.ts";
import { checkUpgrades } from "../doctor/upgrades.ts";
import { sayJson } from "../json-text.ts";
import { paint, span, wrapText, type Line, type Look, type Pen } from "../render/pen.ts";
import { storageOf } from "../storage.ts";
import { penFor } from "../terminal.ts";

export function addDoctor(program: Command, cli: Cli): void {
  program
    .command("doctor")
    .description("check this machine and the storage; exits 1 when there is a problem")
    .action((_options, command: Command) => doctor(cli, command.optsWithGlobals<CommonOptions>()));
}

async function doctor(cli: Cli, options: CommonOptions): Promise<void> {
  const storage = storageOf(options);
  const findings: Finding[] = [checkNode(process.versions.node), await checkLocking(), await checkPseudoTerminal()];
  // Other kinds keep nothing in a folder.
  if (storage.kind === "jsonl") findings.push(checkFolder(storage.location), checkDisk(storage.location));
  findings.push(...(await checkUpgrades(storage, cli.clock.now())));
  const problems = findings.filter(({ level }) => level === "problem").length;
  cli.exitCode = problems > 0 ? 1 : 0;
  if (options.json === true) {
    sayJson(cli, { ok: problems === 0, findings }, 2);
    return;
  }
  const by = penFor(cli.stdout, cli.env, options);
  const shown = options.quiet === true ? findings.filter(({ level }) => level !== "ok") : findings;
  // Lines that go elsewhere than to a terminal are left whole: they are searched, not read.
  const room = cli.stdout.isTTY === true ? Math.max(20, by.width - LEVEL_WIDTH) : Number.MAX_SAFE_INTEGER;
  sayLines(
    cli,
    shown.flatMap((finding) => findingLines(finding, room, by)).map((line) => paint(line, by)),
  );
}

const LOOKS: Readonly<Record<Finding["level"], Look>> = { ok: "good", warning: "attention", problem: "bad" };
const LEVEL_WIDTH = 9;

function findingLines({ check, level, text, remedy }: Finding, room: number, by: Pen): readonly Line[] {
  const wrapped = (words: string) => wrapText(span(by, words).text, room, 6, by.mark);
  const [first = "", ...rest] = wrapped(`${check}: ${text}`);
  const margin = " ".repeat(LEVEL_WIDTH);
  return [
    [span(by, level.padEnd(LEVEL_WIDTH), LOOKS[level]), span(by, first)],
    ...rest.map((line) => [span(by, margin + line)]),
    ...(remedy === undefined ? [] : wrapped(`remedy: ${remedy}`).map((line) => [span(by, margin + line, "quiet")])),
  ];
}
