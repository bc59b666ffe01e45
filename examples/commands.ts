/** The same upgrade, command by command. */

import { ProgressTracker, TaskType } from "milepost";

await using tracker = new ProgressTracker({ upgradeId: "upgrade-124", planId: "plan-456", clusterName: "my-cluster" });

// #region commands
tracker.startUpgrade("Initialization");
tracker.setCurrentPhase("Node groups");
tracker.addTask("workers", "Node group workers", TaskType.UPGRADE_STEP);
tracker.addTask("workers/drain", "Drain nodes", TaskType.UPGRADE_STEP, {
  parentTaskId: "workers",
  totalSteps: 5,
  unit: "nodes",
  weight: 3,
});
tracker.updateTaskProgress("workers/drain", { completedSteps: 2 }, "2 of 5 nodes");
tracker.setWaitingOn("workers/drain", {
  kind: "PodDisruptionBudget",
  name: "shop/web",
  message: "web needs 3 healthy pods and has 3",
  remedy: "kubectl scale deploy/web --replicas=4 -n shop",
});
tracker.clearWaitingOn("workers/drain");
tracker.updateTaskProgress("workers/drain", { completedSteps: 5 }, "All nodes drained");
tracker.completeTask("workers/drain");
tracker.completeUpgrade();
await tracker.flush(); // all of it survives a power cut from here on
// #endregion
