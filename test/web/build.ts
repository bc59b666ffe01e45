/** Before any test: the dashboard as its sources are now. */

import { buildDashboard } from "../../scripts/build-dashboard.ts";

/** Vitest calls it. A dashboard that does not build is the trouble of the tests that open it, and of no other. */
export async function setup(): Promise<void> {
  try {
    await buildDashboard();
  } catch (error) {
    process.env["MILEPOST_DASHBOARD_TROUBLE"] = error instanceof Error ? error.message : String(error);
  }
}
