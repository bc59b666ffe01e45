/**
 * `npm run bench [-- <name> …]`: ratios, each measured in one run with the two sides taking turns.
 *
 * Absolute figures move with the machine and its neighbours; ratios hardly do. Nothing here fails: it prints.
 */

import { execFileSync } from "node:child_process";

import { dashboard } from "./dashboard.ts";
import { groupCommit, opening } from "./durability.ts";
import { fleet } from "./fleet.ts";
import { machine } from "./measure.ts";
import { importing, memoryOfTasks } from "./process.ts";
import { notifying } from "./notify.ts";
import { replay } from "./replay.ts";
import { fanOut, idleReaders } from "./stream.ts";
import { againstBareWrites, againstRewriting, bySize } from "./writing.ts";

const BENCHES: Readonly<Record<string, () => void | Promise<void>>> = {
  update: againstRewriting,
  command: againstBareWrites,
  size: bySize,
  flush: groupCommit,
  open: opening,
  import: importing,
  memory: memoryOfTasks,
  replay,
  stream: fanOut,
  idle: idleReaders,
  fleet,
  dashboard,
  notify: notifying,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  process.stderr.write(`bench: unknown ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}\n`);
  process.exit(2);
}
process.stdout.write(`${machine()}\nmedian [least-most] of the rounds\n`);
if (asked.length === 0 || asked.includes("import") || asked.includes("memory")) {
  execFileSync(process.execPath, ["scripts/build.ts"], { cwd: new URL("..", import.meta.url), stdio: "ignore" });
}
for (const [name, bench] of Object.entries(BENCHES)) if (asked.length === 0 || asked.includes(name)) await bench();
