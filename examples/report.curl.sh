#!/usr/bin/env bash
# Reports an upgrade to a server with nothing but curl.
set -euo pipefail

# #region report
server=${MILEPOST_SERVER:-http://127.0.0.1:8765}
upgrade="nightly-$(date +%s)"

report() { # <path> <json>: the same key for every try, so that a report happens once
  curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused --retry-max-time 30 \
    --header 'Content-Type: application/json' \
    --header "Idempotency-Key: $upgrade-$((key += 1))" \
    ${MILEPOST_TOKEN:+--header "Authorization: Bearer $MILEPOST_TOKEN"} \
    --data "$2" "$server/api/v1/upgrades$1" >/dev/null
}
key=0

report "" "{\"upgradeId\":\"$upgrade\",\"clusterName\":\"my-cluster\",\"phase\":\"Node groups\"}"
for node in a b; do
  report "/$upgrade/commands" "[
    {\"type\":\"addTask\",\"taskId\":\"drain-$node\",\"taskName\":\"Drain node $node\"},
    {\"type\":\"startTask\",\"taskId\":\"drain-$node\"}
  ]"
  report "/$upgrade/commands" "{\"type\":\"updateTaskProgress\",\"taskId\":\"drain-$node\",\"completedSteps\":3,\"totalSteps\":6,\"unit\":\"pods\"}"
  report "/$upgrade/commands" "{\"type\":\"completeTask\",\"taskId\":\"drain-$node\"}"
done
report "/$upgrade/commands" '{"type":"completeUpgrade"}'
curl --silent ${MILEPOST_TOKEN:+--header "Authorization: Bearer $MILEPOST_TOKEN"} "$server/api/v1/upgrades/$upgrade/summary"
# #endregion
