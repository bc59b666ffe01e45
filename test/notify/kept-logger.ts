/** A logger that keeps what it is told. */

import type { Logger } from "../../src/tracker/logger.ts";

export interface KeptLogger extends Logger {
  /** `<level> <message>`, in order. */
  readonly lines: string[];
}

export function keptLogger(): KeptLogger {
  const lines: string[] = [];
  const keep = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { lines, info: keep("info"), warn: keep("warn"), error: keep("error") };
}
