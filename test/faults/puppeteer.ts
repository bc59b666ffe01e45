/** Tells a `puppet.ts` what to do, from a test. */

import { onTestFinished } from "vitest";

import { killNow, startChild, type Child } from "./child.ts";
import type { Answer, Order } from "./puppet.ts";

export interface Puppet {
  readonly child: Child;
  readonly pid: number;
  /** Gives an order; resolves with the answer, or with code "ended" when the process ended first. */
  tell(order: Order): Promise<Answer>;
}

/** A puppet working in `path`; ends with the present test. */
export function startPuppet(path: string): Puppet {
  const child = startChild("puppet.ts", [path]);
  onTestFinished(() => killNow(child));
  let answers = 0;
  const answerAt = (place: number): string | undefined => child.lines.filter((line) => line.startsWith("{"))[place];
  return {
    child,
    pid: child.pid,
    tell: async (order) => {
      const place = answers++;
      child.process.stdin?.write(`${JSON.stringify(order)}\n`);
      const line = await child.first(() => answerAt(place));
      return line === undefined ? { code: "ended", message: child.lines.join("\n") } : (JSON.parse(line) as Answer);
    },
  };
}
