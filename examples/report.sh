#!/usr/bin/env bash
# Reports three tasks of an upgrade from a shell script. Each `milepost` is a process of its own.
set -euo pipefail
milepost=${MILEPOST:-npx milepost}

# #region report
export MILEPOST_UPGRADE_ID="nightly-$(date +%s)"
$milepost upgrade start --cluster my-cluster --phase "Node groups"
for node in a b c; do
  $milepost task start "drain-$node" --name "Drain node $node"
  $milepost task progress "drain-$node" 50 --message "half of the pods are gone"
  $milepost task complete "drain-$node"
done
$milepost upgrade complete
# #endregion
