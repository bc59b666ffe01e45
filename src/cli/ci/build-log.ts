/** The log of a build as its page shows it: sections that fold, and lines that stand out. */

/** All give whole lines without an end of line. */
export interface BuildLog {
  /** A line of safe text, so that it is nothing but that to whoever shows it. */
  line(text: string): string;
  /** A line that stands out. */
  annotation(level: "error" | "warning", title: string, text: string): string;
  /** Begins a section; the one before must have ended. */
  sectionStart(title: string): readonly string[];
  sectionEnd(): readonly string[];
}

/** Nothing but lines. */
export const plainLog: BuildLog = {
  line: (text) => text,
  annotation: (_level, _title, text) => text,
  sectionStart: () => [],
  sectionEnd: () => [],
};
