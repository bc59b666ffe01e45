/** The log of GitLab CI: sections are marked by lines with escape sequences of its own, https://docs.gitlab.com/ci/jobs/job_logs/ */

import type { BuildLog } from "./build-log.ts";

/** What GitLab hides of a line: everything up to and with this. */
const HIDE = "\r\x1b[0K";

/** @param now - wall time, epoch ms. */
export function gitlabLog(now: () => number): BuildLog {
  let count = 0;
  const mark = (what: "start" | "end"): string =>
    `\x1b[0Ksection_${what}:${Math.floor(now() / 1000)}:milepost_${count}${HIDE}`;
  return {
    line: (text) => text,
    annotation: (level, _title, text) => `${level.toUpperCase()}: ${text}`,
    sectionStart(title) {
      count += 1;
      return [`${mark("start")}${title}`];
    },
    sectionEnd: () => [mark("end")],
  };
}
