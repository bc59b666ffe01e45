/** What one check of the doctor found. */

export interface Finding {
  /** What was looked at. */
  readonly check: string;
  readonly level: "ok" | "warning" | "problem";
  readonly text: string;
  /** What to do; there for everything that is not ok. */
  readonly remedy?: string;
}

export const ok = (check: string, text: string): Finding => ({ check, level: "ok", text });
export const warning = (check: string, text: string, remedy: string): Finding => ({
  check,
  level: "warning",
  text,
  remedy,
});
export const problem = (check: string, text: string, remedy: string): Finding => ({
  check,
  level: "problem",
  text,
  remedy,
});
