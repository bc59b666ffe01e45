/** The cluster that a rehearsal upgrades. It exists nowhere; its times are those that real ones take, in minutes. */

export interface RehearsedAddOn {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly minutes: number;
}

export interface RehearsedNode {
  readonly name: string;
  /** Pods to evict. */
  readonly pods: number;
  /** The pod, from those left, that a disruption budget holds back. */
  readonly stuckAtPod?: number;
}

export interface RehearsedNodeGroup {
  readonly id: string;
  readonly name: string;
  /** How many nodes may be away at a time. */
  readonly maxUnavailable: number;
  readonly nodes: readonly RehearsedNode[];
  readonly scaleDownMinutes: number;
}

export const VERSIONS = { from: "1.33", to: "1.34" } as const;

export const CHECKS = [
  { id: "check-insights", name: "Upgrade insights", minutes: 0.8, found: "no deprecated API in use" },
  { id: "check-subnets", name: "Free addresses in the subnets", minutes: 0.5, found: "211 of 762 free" },
  { id: "check-skew", name: "Version skew of nodes and add-ons", minutes: 0.6, found: "all at 1.33" },
] as const;

/** EKS tells no percentage while it replaces a control plane, so the rehearsal tells none. */
export const CONTROL_PLANE = [
  { minutes: 1.5, message: "update accepted by EKS" },
  { minutes: 5, message: "EKS starts new API servers" },
  { minutes: 4.5, message: "API server addresses move over" },
  { minutes: 3, message: "EKS checks the new control plane" },
] as const;

export const ADD_ONS: readonly RehearsedAddOn[] = [
  { id: "vpc-cni", from: "v1.19.5", to: "v1.20.1", minutes: 2 },
  { id: "coredns", from: "v1.12.1", to: "v1.12.3", minutes: 2.4 },
  { id: "kube-proxy", from: "v1.33.3", to: "v1.34.0", minutes: 1.4 },
  { id: "aws-ebs-csi-driver", from: "v1.45.0", to: "v1.48.0", minutes: 2.1 },
];

export const NODE_GROUPS: readonly RehearsedNodeGroup[] = [
  {
    id: "system",
    name: "Node group system",
    maxUnavailable: 1,
    scaleDownMinutes: 3,
    nodes: [
      { name: "ip-10-0-1-17", pods: 8 },
      { name: "ip-10-0-2-81", pods: 6 },
      { name: "ip-10-0-3-40", pods: 7 },
    ],
  },
  {
    id: "workers",
    name: "Node group workers",
    maxUnavailable: 2,
    scaleDownMinutes: 4,
    nodes: [
      { name: "ip-10-0-1-112", pods: 14 },
      { name: "ip-10-0-2-23", pods: 11 },
      { name: "ip-10-0-2-190", pods: 12, stuckAtPod: 3 },
      { name: "ip-10-0-3-9", pods: 16 },
      { name: "ip-10-0-1-201", pods: 9 },
      { name: "ip-10-0-3-77", pods: 13 },
    ],
  },
];

/** What holds a pod back on the way, and how it is freed. */
export const BLOCKED_POD = {
  pod: "shop/checkout-6d5f9c7b8-x2vqp",
  budget: "shop/checkout",
  message: "the budget needs 2 healthy pods and has 2",
  remedy: "kubectl -n shop scale deployment checkout --replicas=3",
  reference: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
  freed: "checkout runs 3 replicas now",
  minutes: 9,
} as const;

export const DEPLOYMENTS = 42;
