import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

/** `import "milepost"` in a test means src/, never a build that may be older: in the test's process and in those it starts. */
const SOURCE = "milepost-source";
/** Those that Vite has by default, which a list of one's own replaces; not "module": such files are for bundlers, Node cannot load them all. */
const CONDITIONS = [SOURCE, "node", "development|production"];

const COMPILED = fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url));

/**
 * `vitest run --mode long` (`npm run test:long`) adds test/long/ and lets the other tests scale up by MILEPOST_LONG.
 * `vitest run --mode peers` (`npm run test:peers`) runs test/peers/ alone: other people's programs against this one.
 */
export default defineConfig(({ mode }) => {
  const isLong = mode === "long";
  return {
    resolve: { conditions: CONDITIONS },
    ssr: { resolve: { conditions: CONDITIONS, externalConditions: [SOURCE] } },
    test: {
      include: mode === "peers" ? ["test/peers/**/*.test.ts"] : ["test/**/*.test.ts"],
      exclude: mode === "peers" ? [] : isLong ? ["test/peers/**"] : ["test/long/**", "test/peers/**"],
      globalSetup: "test/web/build.ts",
      // A process per file: tests start processes, hold locks, change the environment and open node:sqlite.
      pool: "forks",
      // The long run measures; the others only have to end soon, and half of the machine waits much of the time.
      ...(mode === "test" ? { maxWorkers: 2 } : {}),
      execArgv: [`--conditions=${SOURCE}`],
      env: {
        NODE_OPTIONS: `--conditions=${SOURCE}`,
        // Tests start some thousand processes: what they compile is kept, which is most of what a short one does.
        ...(mode === "test" ? { NODE_COMPILE_CACHE: COMPILED } : {}),
        ...(isLong ? { MILEPOST_LONG: "1" } : {}),
      },
      // Many tests start processes, and a busy machine is no reason to fail.
      testTimeout: isLong ? 600_000 : 60_000,
      hookTimeout: isLong ? 600_000 : 60_000,
      expect: { poll: { timeout: 10_000 } },
      reporters: ["./test/reporter.ts"],
      coverage: { provider: "v8", include: ["src/**"] },
    },
  };
});
