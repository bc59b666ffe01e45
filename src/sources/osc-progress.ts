/**
 * Progress told to the terminal: `ESC ] 9 ; 4 ; state ; percent`, begun by ConEmu, now also of Windows Terminal, Ghostty,
 * WezTerm and others; written by systemd, Cargo, apt and more.
 */

import type { Observation, Source } from "./observation.ts";

const SEQUENCE = /^9;4;([0-4])(?:;(\d{0,3}))?;?$/;

/** What the body of one OSC sequence says; undefined when it is not a progress report. */
export function readProgressSequence(body: string): Observation | undefined {
  const match = SEQUENCE.exec(body);
  if (match === null) return undefined;
  const [, state, digits = ""] = match;
  const value = Number(digits);
  const told = digits === "" || value > 100 ? {} : { percentage: value };
  switch (state) {
    case "1":
      return { ...told, problem: null };
    case "2":
      return { ...told, problem: { level: "error", message: "The command shows its progress as failed" } };
    case "4":
      return {
        ...told,
        problem: { level: "warning", message: "The command shows its progress as paused or with a warning" },
      };
    default:
      // Cleared (0), or working for an unknown time (3): a sign of life without a number.
      return { problem: null };
  }
}

/** OSC 9;4, which any command may write. */
export const oscProgress: Source = {
  name: "osc-progress",
  strength: 2,
  begin: () => ({
    control: (body) => {
      const observation = readProgressSequence(body);
      return observation === undefined ? [] : [observation];
    },
  }),
};
