/**
 * The log of GitHub Actions. A line that begins with `::`, or holds `##[`, is a command to its runner, so no text from outside may
 * bring one: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */

import type { BuildLog } from "./build-log.ts";

export const githubLog: BuildLog = {
  line: harmless,
  annotation: (level, title, text) => `::${level} title=${property(title)}::${data(text)}`,
  sectionStart: (title) => [`::group::${data(title)}`],
  sectionEnd: () => ["::endgroup::"],
};

/** A line that is no command, wherever the runner looks for one. */
function harmless(text: string): string {
  const apart = text.replaceAll("##[", "## [");
  return /^\s*::/.test(apart) ? apart.replace("::", ": :") : apart;
}

/** Text as a command's own. The older form of commands is looked for in every line, also in this one. */
function data(text: string): string {
  return text.replaceAll("##[", "## [").replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
