/**
 * apt's status descriptor (`-o APT::Status-Fd=N`, README.progress-reporting of apt): one line per report,
 * `kind:subject:percent:text`, where the percentage is that of the whole download or of the whole installation.
 */

import type { Observation, Source, Stage } from "./observation.ts";

const DOWNLOAD_AND_INSTALL = ["Download packages", "Install packages"] as const;
const DOWNLOAD_ONLY = ["Download"] as const;

/** What runs dpkg, so that an installation follows the download. */
const INSTALLING = new Set([
  "install",
  "reinstall",
  "upgrade",
  "dist-upgrade",
  "full-upgrade",
  "remove",
  "purge",
  "autoremove",
  "autopurge",
  "build-dep",
  "dselect-upgrade",
  "satisfy",
]);
const DOWNLOADING = new Set(["update", "download", "source"]);

/** Options that take the next word; anything else that begins with a dash stands alone. */
const VALUED = new Set([
  "-o",
  "--option",
  "-c",
  "--config-file",
  "-t",
  "--target-release",
  "--default-release",
  "-a",
  "--host-architecture",
]);

const REPORT = /^(dlstatus|pmstatus|pmerror|pmconffile):(.*?):(\d{1,3}(?:[.,]\d+)?):(.*)$/;
const MEDIA = /^media-change:\s*([^:]*):([^:]*)/;

/** What one line on the status descriptor says; undefined for a line of another form. `names` are the stages there are. */
export function readAptStatus(line: string, names: readonly string[]): Observation | undefined {
  if (line.startsWith("media-change:")) return mediaChange(line);
  const match = REPORT.exec(line);
  if (match === null) return undefined;
  const [, kind, subject = "", digits = "", text = ""] = match;
  const value = Number(digits.replace(",", "."));
  const number = kind === "dlstatus" ? 1 : names.length;
  const stage: Stage = { series: "apt", number, of: names.length, names };
  const at = { stage, ...(value <= 100 && { percentage: Math.round(value * 100) / 100 }) };
  if (kind === "pmerror") return { ...at, message: text, problem: { level: "error", message: `${subject}: ${text}` } };
  if (kind !== "pmconffile") return { ...at, message: text };
  const message = `dpkg asks whether to replace the configuration file ${subject}`;
  return {
    ...at,
    message,
    waitingOn: {
      kind: "answer",
      name: subject,
      message,
      remedy: "Answer in the terminal where the command runs.",
    },
  };
}

function mediaChange(line: string): Observation | undefined {
  const match = MEDIA.exec(line);
  if (match === null) return undefined;
  const [, medium = "", drive = ""] = match;
  return {
    waitingOn: {
      kind: "medium",
      name: medium,
      message: `apt asks for the medium ${medium} in ${drive}`,
      remedy: "Insert the medium, then confirm in the terminal.",
    },
  };
}

/** The verb of an apt command line: its first word that is neither an option nor the value of one. */
function verbOf(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index++) {
    const word = args[index] as string;
    if (VALUED.has(word)) index += 1;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

/** What `apt` draws on a terminal: `43% [1 jq 12 kB/53 kB 22%]` while it downloads, `Progress: [ 43%]` while it installs. */
const DRAWN_DOWNLOAD = /^(\d{1,3})% \[/;
const DRAWN_INSTALL = /^[\p{L} ]+: ?\[ *(\d{1,3})%\]/u;

/** What a line that `apt` has drawn says; undefined for any other. */
function readAptDrawing(text: string, names: readonly string[]): Observation | undefined {
  const install = DRAWN_INSTALL.exec(text);
  const percentage = Number((install ?? DRAWN_DOWNLOAD.exec(text))?.[1] ?? Number.NaN);
  if (!(percentage <= 100)) return undefined;
  return { stage: { series: "apt", number: install === null ? 1 : names.length, of: names.length, names }, percentage };
}

const listed = (observation: Observation | undefined): readonly Observation[] =>
  observation === undefined ? [] : [observation];

/**
 * apt and apt-get, called by their name. Not through sudo, which closes the descriptor; there the number would name whatever
 * file apt opens next. Not where a descriptor is set already. `apt` on a terminal would give up its own bar for the descriptor,
 * so there it is read from the bar.
 */
export const apt: Source = {
  name: "apt",
  strength: 3,
  begin([program = "", ...args], { isTerminal }) {
    const name = program.slice(program.lastIndexOf("/") + 1);
    if (name !== "apt-get" && name !== "apt") return undefined;
    const verb = verbOf(args);
    const isInstalling = verb !== undefined && INSTALLING.has(verb);
    if (!isInstalling && (verb === undefined || !DOWNLOADING.has(verb))) return undefined;
    const names = isInstalling ? DOWNLOAD_AND_INSTALL : DOWNLOAD_ONLY;
    if (name === "apt" && isTerminal) return { line: ({ text }) => listed(readAptDrawing(text, names)) };
    if (args.some((arg) => /apt::status-(?:deb822-)?fd/i.test(arg))) return undefined;
    return {
      command: (statusFd) => [program, "-o", `APT::Status-Fd=${statusFd}`, ...args],
      status: (line) => listed(readAptStatus(line, names)),
    };
  },
};
