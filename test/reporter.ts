import { writeSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from "vitest/node";

type UserConsoleLog = Parameters<NonNullable<Reporter["onUserConsoleLog"]>>[0];

/** What is printed at the very end: tests, and whatever else went wrong, counted alike. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const countsLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

/**
 * Prints each failure in full and nothing of what passed, then `N passed, N failed`, alone, as the last line of all output.
 *
 * A file that does not load, a failed hook and an error outside any test count as failed. The last line is written as the process
 * exits, after everything else that may still print, and is written even if the run never ended.
 */
export default class CountingReporter implements Reporter {
  #vitest: Vitest | undefined;
  #counts: Counts | undefined;
  readonly #logs = new Map<string, string>();

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
    if (vitest.config.watch) return;
    process.once("exit", () => {
      const counts = this.#counts ?? { passed: 0, failed: 1, skipped: 0 };
      if (counts.failed > 0 && !process.exitCode) process.exitCode = 1;
      writeSync(1, `${countsLine(counts)}\n`);
    });
  }

  /** What a test prints is shown only if it fails; in the long run also if it does not: there it prints figures. */
  onUserConsoleLog(log: UserConsoleLog): void {
    const key = log.taskId ?? "";
    this.#logs.set(key, (this.#logs.get(key) ?? "") + log.content);
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors, note } = test.result() as {
      state: string;
      errors: readonly SerializedError[];
      note?: string;
    };
    const name = `${test.module.relativeModuleId} > ${test.fullName}`;
    if (state === "failed") this.#print(name, errors, test);
    // Left out for a reason that somebody should know, such as a right that is missing here.
    if (state === "skipped" && note !== undefined) process.stdout.write(`SKIPPED ${name}: ${note}\n`);
    const { env = {} } = test.project.config as { readonly env?: Readonly<Record<string, string>> };
    if (state === "passed" && env["MILEPOST_LONG"] === "1") process.stdout.write(this.#logs.get(test.id) ?? "");
  }

  onTestSuiteResult(suite: TestSuite): void {
    if (suite.errors().length > 0) this.#print(`${suite.module.relativeModuleId} > ${suite.fullName}`, suite.errors());
  }

  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0) this.#print(module.relativeModuleId, module.errors());
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that never ran to its end did not pass: its file crashed or the run was cut short.
        counts[state === "pending" ? "failed" : state] += 1;
      }
    }
    if (unhandled.length > 0) this.#print("outside any test", unhandled);
    if (modules.length === 0) counts.failed += 1;
    this.#counts = counts;
    process.stdout.write(`test files: ${modules.length}\n`);
    for (const module of slowest(modules)) process.stdout.write(`  slow: ${module}\n`);
    if (this.#vitest?.config.watch) process.stdout.write(`${countsLine(counts)}\n`);
  }

  #print(title: string, errors: readonly SerializedError[], test?: TestCase): void {
    process.stderr.write(`\nFAILED ${title}\n`);
    for (const error of errors) {
      this.#vitest?.logger.printError(error, test ? { project: test.project } : {});
    }
    const log = test && this.#logs.get(test.id);
    if (log) process.stderr.write(`printed by the test:\n${log}\n`);
  }
}

/** Files that took more than five seconds, the longest first, at most three. */
const slowest = (modules: readonly TestModule[]): string[] =>
  modules
    .map((module) => ({ name: module.relativeModuleId, ms: module.diagnostic().duration }))
    .filter(({ ms }) => ms > 5_000)
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 3)
    .map(({ name, ms }) => `${name} ${(ms / 1_000).toFixed(1)} s`);
