#!/usr/bin/env node
// Says no before anything is loaded that an old Node cannot read. Nothing may be imported above the check.
const NEEDED = [22, 13];
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `milepost: needs Node ${NEEDED.join(".")} or newer; this is ${process.versions.node} (${process.execPath})\n`,
  );
  process.exit(1);
}

// A clone has the sources and runs them, so that no stale build can run in their place; the published package has only dist.
const { existsSync } = await import("node:fs");
const source = new URL("../src/cli/main.ts", import.meta.url);
const built = new URL("../dist/cli/main.js", import.meta.url);
const entry = existsSync(source) && process.features.typescript ? source : built;
if (!existsSync(entry)) {
  process.stderr.write("milepost: nothing to run yet; in a clone, run `npm run build` first\n");
  process.exit(1);
}
await import(entry.href);
