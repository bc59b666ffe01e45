/** Reads an upgrade that another process writes: its state now, then every event as it comes. */

import { jsonLines, watchUpgrade } from "milepost";

const storage = jsonLines({ path: "./data" });
const [upgradeId = "upgrade-123"] = process.argv.slice(2);

// #region watch
for await (const { state, event } of watchUpgrade(storage, upgradeId)) {
  console.log(`${state.overallPercentage} % ${state.status} ${event?.type ?? "as it stands"}`);
  if (state.completedAt !== null) break;
}
// #endregion
