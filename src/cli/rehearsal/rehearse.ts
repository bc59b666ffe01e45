/** The rehearsal: reports the upgrade of a cluster that does not exist, through the public API, as an agent would. */

import { TaskType } from "../../model/vocabulary.ts";
import { ADD_ONS, CHECKS, CONTROL_PLANE, DEPLOYMENTS, NODE_GROUPS, VERSIONS } from "./cluster.ts";
import { addNodeGroup, upgradeNodeGroup } from "./node-group.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** Every phase says what it is, on whichever surface it is read. */
const phase = (name: string): string => `Rehearsal: ${name}`;

/** Rehearses the whole upgrade. Rejects when it is cancelled; the tracker is then as it was. */
export async function rehearse(rehearsal: Rehearsal): Promise<void> {
  const { tracker } = rehearsal;
  tracker.startUpgrade(phase("pre-flight checks"));
  addTasks(rehearsal);
  await checkFirst(rehearsal);
  tracker.setCurrentPhase(phase("control plane"));
  await upgradeControlPlane(rehearsal);
  tracker.setCurrentPhase(phase("add-ons"));
  await upgradeAddOns(rehearsal);
  for (const group of NODE_GROUPS) {
    tracker.setCurrentPhase(phase(`node group ${group.id}`));
    await upgradeNodeGroup(rehearsal, group);
  }
  tracker.setCurrentPhase(phase("validation"));
  await validate(rehearsal);
  tracker.completeUpgrade("rehearsal completed; no cluster was touched");
}

function addTasks({ tracker, toMs }: Rehearsal): void {
  const total = (parts: readonly { readonly minutes: number }[]) =>
    parts.reduce((sum, { minutes }) => sum + minutes, 0);
  tracker.addTask("preflight", "Pre-flight checks", TaskType.VALIDATION, { unit: "checks" });
  for (const { id, name } of CHECKS)
    tracker.addTask(id, name, TaskType.VALIDATION, { parentTaskId: "preflight", weight: 0.7 });
  const minutes = total(CONTROL_PLANE);
  tracker.addTask("control-plane", `Control plane ${VERSIONS.from} → ${VERSIONS.to}`, TaskType.UPGRADE_STEP, {
    weight: minutes,
    expectedMs: toMs(minutes),
  });
  tracker.addTask("add-ons", "Add-ons", TaskType.UPGRADE_STEP, { unit: "add-ons" });
  for (const { id, from, to, minutes: weight } of ADD_ONS) {
    tracker.addTask(id, id, TaskType.UPGRADE_STEP, {
      parentTaskId: "add-ons",
      weight,
      expectedMs: toMs(weight),
      details: { from, to },
    });
  }
  for (const group of NODE_GROUPS) addNodeGroup(tracker, group);
  tracker.addTask("validation", "Validation", TaskType.VALIDATION, { unit: "checks" });
  tracker.addTask("workloads", "Workloads are available", TaskType.VALIDATION, {
    parentTaskId: "validation",
    weight: 3,
    totalSteps: DEPLOYMENTS,
    unit: "deployments",
  });
  tracker.addTask("versions", "All nodes run the new version", TaskType.VALIDATION, {
    parentTaskId: "validation",
    weight: 1,
  });
}

async function checkFirst({ tracker, pass }: Rehearsal): Promise<void> {
  tracker.startTask("preflight");
  for (const { id, minutes, found } of CHECKS) {
    tracker.startTask(id);
    await pass(minutes);
    tracker.completeTask(id, found);
  }
  tracker.completeTask("preflight");
}

async function upgradeControlPlane({ tracker, pass }: Rehearsal): Promise<void> {
  tracker.startTask("control-plane");
  for (const { minutes, message } of CONTROL_PLANE) {
    tracker.updateTaskProgress("control-plane", {}, message);
    await pass(minutes);
  }
  tracker.completeTask("control-plane", `API server answers as v${VERSIONS.to}`);
}

async function upgradeAddOns({ tracker, pass }: Rehearsal): Promise<void> {
  tracker.startTask("add-ons");
  for (const { id, from, to, minutes } of ADD_ONS) {
    tracker.startTask(id, `${from} → ${to}`);
    await pass(minutes);
    tracker.completeTask(id, to);
  }
  tracker.completeTask("add-ons");
}

async function validate({ tracker, pass }: Rehearsal): Promise<void> {
  const rounds = 6;
  tracker.startTask("validation");
  tracker.startTask("workloads");
  for (let round = 1; round <= rounds; round++) {
    await pass(0.5);
    tracker.updateTaskProgress("workloads", { completedSteps: Math.round((DEPLOYMENTS * round) / rounds) });
  }
  tracker.completeTask("workloads");
  tracker.startTask("versions");
  await pass(1);
  tracker.completeTask("versions", `kubelets report v${VERSIONS.to}`);
  tracker.completeTask("validation");
}
