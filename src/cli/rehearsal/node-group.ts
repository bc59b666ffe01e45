/** How a managed node group is upgraded: set-up, scale-up, each node drained and replaced, scale-down. */

import { TaskType } from "../../model/vocabulary.ts";
import type { ProgressTracker } from "../../progress-tracker.ts";
import { BLOCKED_POD, type RehearsedNode, type RehearsedNodeGroup } from "./cluster.ts";
import type { Rehearsal } from "./rehearsal.ts";

const ids = (group: RehearsedNodeGroup) => ({
  group: `nodegroup-${group.id}`,
  setUp: `${group.id}-set-up`,
  scaleUp: `${group.id}-scale-up`,
  nodes: `${group.id}-nodes`,
  scaleDown: `${group.id}-scale-down`,
});

export function addNodeGroup(tracker: ProgressTracker, group: RehearsedNodeGroup): void {
  const { group: parentTaskId, setUp, scaleUp, nodes, scaleDown } = ids(group);
  const step = TaskType.UPGRADE_STEP;
  tracker.addTask(parentTaskId, group.name, step, { unit: "phases" });
  tracker.addTask(setUp, `Launch template of ${group.id}`, step, { parentTaskId, weight: 1.5 });
  tracker.addTask(scaleUp, `New nodes of ${group.id}`, step, {
    parentTaskId,
    weight: 4,
    totalSteps: group.maxUnavailable + 1,
    unit: "nodes",
  });
  tracker.addTask(nodes, `Old nodes of ${group.id}`, step, { parentTaskId, unit: "nodes" });
  for (const { name, pods } of group.nodes)
    tracker.addTask(name, name, step, { parentTaskId: nodes, weight: 4, totalSteps: pods, unit: "pods" });
  tracker.addTask(scaleDown, `Scale-down of ${group.id}`, TaskType.CLEANUP, {
    parentTaskId,
    weight: group.scaleDownMinutes,
  });
}

export async function upgradeNodeGroup(rehearsal: Rehearsal, group: RehearsedNodeGroup): Promise<void> {
  const { tracker, pass } = rehearsal;
  const { group: groupId, setUp, scaleUp, nodes, scaleDown } = ids(group);
  tracker.startTask(groupId);
  tracker.startTask(setUp);
  await pass(1.5);
  tracker.completeTask(setUp);
  tracker.startTask(scaleUp, "waiting for instances");
  for (let ready = 1; ready <= group.maxUnavailable + 1; ready++) {
    await pass(4 / (group.maxUnavailable + 1));
    tracker.updateTaskProgress(scaleUp, { completedSteps: ready }, `${ready} ready`);
  }
  tracker.completeTask(scaleUp);
  tracker.startTask(nodes);
  const queue = [...group.nodes];
  const replaceNext = async (): Promise<void> => {
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) await replaceNode(rehearsal, node);
  };
  await Promise.all(Array.from({ length: group.maxUnavailable }, replaceNext));
  tracker.completeTask(nodes);
  tracker.startTask(scaleDown, "old instances leave the group");
  await pass(group.scaleDownMinutes);
  tracker.completeTask(scaleDown);
  tracker.completeTask(groupId);
}

async function replaceNode(rehearsal: Rehearsal, { name, pods, stuckAtPod }: RehearsedNode): Promise<void> {
  const { tracker, pass } = rehearsal;
  tracker.startTask(name, "cordoned");
  await pass(0.3);
  for (let evicted = 1; evicted <= pods; evicted++) {
    if (pods - evicted + 1 === stuckAtPod) await waitForBlockedPod(rehearsal, name);
    await pass(2 / pods);
    const left = pods - evicted;
    tracker.updateTaskProgress(
      name,
      { completedSteps: evicted },
      left === 0 ? "all pods evicted" : `evicting pods, ${left} left`,
    );
  }
  tracker.updateTaskProgress(name, { completedSteps: pods }, "waiting 60 s before the instance ends");
  await pass(1);
  tracker.updateTaskProgress(name, { completedSteps: pods }, "ending the instance");
  await pass(0.7);
  tracker.completeTask(name, "replaced");
}

/** The pod that cannot be evicted: said what is waited for and what to do, until somebody has done it. */
async function waitForBlockedPod({ tracker, pass }: Rehearsal, node: string): Promise<void> {
  const { pod, budget, message, remedy, reference, freed, minutes } = BLOCKED_POD;
  const id = "pod-eviction-blocked";
  tracker.setWaitingOn(node, { kind: "PodDisruptionBudget", name: budget, message, remedy });
  tracker.appendLog(
    node,
    `error when evicting pod ${pod}: Cannot evict pod as it would violate the pod's disruption budget.`,
  );
  await pass(minutes / 3);
  tracker.raiseInsight({
    id,
    level: "warning",
    message: `pod ${pod} cannot be evicted from ${node}`,
    impact: "EKS gives up on a node after 15 minutes and fails the update of the node group.",
    remedy,
    reference,
    resources: [pod, budget, node],
  });
  for (let third = 2; third <= 3; third++) {
    await pass(minutes / 3);
    tracker.heartbeat(node);
  }
  tracker.clearWaitingOn(node);
  tracker.clearInsight(id, freed);
}
