/** Tracks an upgrade from a program. Run it twice: the second time it finds everything done. */

import { ProgressStatus, ProgressTracker, TaskType } from "milepost";

// #region track
const tracker = new ProgressTracker({
  upgradeId: "upgrade-123",
  planId: "plan-456",
  clusterName: "my-cluster",
  storagePath: "./data",
});

tracker.addEventCallback((event) => console.log(`${event.seq} ${event.type} ${event.message ?? ""}`));
tracker.addStatusCallback(ProgressStatus.COMPLETED, (task) => console.log(`Task completed: ${task.taskName}`));

tracker.startUpgrade("Initialization");
await tracker.run(
  "task-1",
  "Deploy infrastructure",
  (task) => {
    task.progress(50, "Half complete", { nodes: 3 });
  },
  { taskType: TaskType.UPGRADE_STEP, ifDone: "skip" },
);
tracker.completeUpgrade();
await tracker.close();
// #endregion
