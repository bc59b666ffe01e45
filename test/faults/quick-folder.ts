/** A folder for thousands of small runs whose disk is not what is tested: in memory where the system has a place for that. */

import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const SHARED_MEMORY = "/dev/shm";

function place(): string {
  try {
    accessSync(SHARED_MEMORY, constants.W_OK);
    return SHARED_MEMORY;
  } catch {
    return tmpdir();
  }
}

/** A new folder, removed when the present test has ended. */
export function quickFolder(): string {
  const folder = mkdtempSync(join(place(), "milepost-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
