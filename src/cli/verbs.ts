/** The verbs by name, and where their code is. */

import type { Command } from "commander";
import type { Cli } from "./context.ts";

/** Adds a verb with its options to the program. */
type AddVerb = (program: Command, cli: Cli) => void;

export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<AddVerb>;
  /** True if this command line works with all verbs, so that their code is needed too. */
  readonly needsAll?: (argv: readonly string[]) => boolean;
}

const verb = (name: string, summary: string, load: () => Promise<AddVerb>): Verb => ({ name, summary, load });

/** In the order of the help. */
export const VERBS: readonly Verb[] = [
  verb("run", "run a command and track it as an upgrade", async () => (await import("./commands/run.ts")).addRun),
  verb(
    "demo",
    "rehearse an upgrade, to see what Milepost shows",
    async () => (await import("./commands/demo.ts")).addDemo,
  ),
  verb(
    "start",
    "serve the upgrades: live, as an API, to reporters",
    async () => (await import("./commands/start.ts")).addStart,
  ),
  verb("watch", "show an upgrade live until it ends", async () => (await import("./commands/watch.ts")).addWatch),
  verb("wait", "wait until an upgrade has a status", async () => (await import("./commands/wait.ts")).addWait),
  verb("list", "list the upgrades", async () => (await import("./commands/list.ts")).addList),
  verb("show", "show one upgrade as it stands", async () => (await import("./commands/show.ts")).addShow),
  verb("replay", "play a recorded upgrade again", async () => (await import("./commands/replay.ts")).addReplay),
  verb(
    "export",
    "write an upgrade as JSON, NDJSON or CSV",
    async () => (await import("./commands/export.ts")).addExport,
  ),
  verb(
    "upgrade",
    "report on an upgrade: start, phase, complete ...",
    async () => (await import("./commands/upgrade.ts")).addUpgrade,
  ),
  verb(
    "task",
    "report on a task: add, start, progress, complete ...",
    async () => (await import("./commands/task.ts")).addTask,
  ),
  verb("insight", "raise or clear a finding", async () => (await import("./commands/insight.ts")).addInsight),
  verb(
    "notify",
    "see what notifiers were told, and tell dead letters again",
    async () => (await import("./commands/notify.ts")).addNotify,
  ),
  verb("verify", "check stored logs for damage", async () => (await import("./commands/verify.ts")).addVerify),
  verb(
    "salvage",
    "make a new log of what a damaged one still holds",
    async () => (await import("./commands/salvage.ts")).addSalvage,
  ),
  verb("doctor", "check this machine and the storage", async () => (await import("./commands/doctor.ts")).addDoctor),
  {
    name: "completion",
    summary: "print a completion script for bash, zsh or fish",
    load: async () => (await import("./commands/completion.ts")).addCompletion,
    // The scripts ask for the upgrades while somebody types, so that has to be quick.
    needsAll: (argv) => !argv.includes("upgrades"),
  },
];
