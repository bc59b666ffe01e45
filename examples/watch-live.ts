/** Follows an upgrade over its WebSocket, as a page or another service does: its state now, then every event, to the end. */

import { ProgressTracker } from "milepost";
import { watch } from "milepost/client";

// An agent that reports; usually another process, on another machine.
const tracker = new ProgressTracker({
  upgradeId: "upgrade-125",
  planId: "plan-456",
  clusterName: "my-cluster",
  enableWebsocket: true,
  websocketPort: 0,
});
await tracker.startWebsocketServer();
const url = `ws://127.0.0.1:${tracker.websocket.getServerInfo().port}`;

async function upgrade(): Promise<void> {
  tracker.startUpgrade("Workers");
  await tracker.run(
    "drain",
    "Drain nodes",
    async (task) => {
      for (let node = 1; node <= 5; node++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        task.progress({ completedSteps: node }, `node ${node} is empty`);
      }
    },
    { totalSteps: 5, unit: "nodes" },
  );
  tracker.completeUpgrade();
}

const upgraded = upgrade();

// #region watch
for await (const { state, event, connection } of watch(url, { channel: "upgrade:upgrade-125" })) {
  if (connection.status === "waiting")
    console.log(`connects again in ${connection.retryInMs} ms: ${connection.reason}`);
  if (state === undefined) continue;
  console.log(`${state.overallPercentage} % ${event?.message ?? "as it stands"}`);
  if (state.completedAt !== null) break;
}
// #endregion

await upgraded;
await tracker.close();
