/** Which system runs the build that the log belongs to. */

import { Option, type Command } from "commander";
import { checkWord } from "../../model/check.ts";
import type { Cli } from "../context.ts";
import { givenAs } from "../environment.ts";
import { plainLog, type BuildLog } from "./build-log.ts";
import { githubLog } from "./github.ts";
import { gitlabLog } from "./gitlab.ts";

const SYSTEMS = ["none", "github", "gitlab"] as const;
export type CiSystem = (typeof SYSTEMS)[number];

/** A verb with the option that names it. */
export function withCiOption(verb: Command): Command {
  return verb.addOption(
    new Option(
      "--ci <system>",
      `write the log as this system shows it: ${SYSTEMS.join(", ")}; found out when left out`,
    ),
  );
}

/** The system, by option or as its own variables say. @throws INVALID_ARGUMENT. */
export function ciSystem({ env }: Cli, command: Command): CiSystem {
  const { ci } = command.optsWithGlobals<{ readonly ci?: string }>();
  if (ci !== undefined) return checkWord(ci, givenAs(command, "--ci"), SYSTEMS);
  if (env["GITHUB_ACTIONS"] === "true") return "github";
  return env["GITLAB_CI"] === "true" ? "gitlab" : "none";
}

/** How a log is written for it. @param now - wall time, epoch ms. */
export function buildLog(system: CiSystem, now: () => number): BuildLog {
  if (system === "github") return githubLog;
  return system === "gitlab" ? gitlabLog(now) : plainLog;
}
