"""Reports an upgrade to a server with nothing but Python's standard library."""

# #region client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Upgrade:
    """One upgrade on a server. Each report happens once, however often it is sent."""

    def __init__(self, server, upgrade_id, token=None, **more):
        self.server, self.token = server.rstrip("/"), token
        self.path = "/api/v1/upgrades/" + urllib.parse.quote(upgrade_id, safe="")
        self._post("/api/v1/upgrades", {"upgradeId": upgrade_id, **more})

    def report(self, *commands):
        """Gives commands, in order. Returns the events that they made."""
        return self._post(self.path + "/commands", list(commands))["events"]

    def summary(self):
        return self._send(urllib.request.Request(self.server + self.path + "/summary"))

    def _post(self, path, body, tries=6):
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        request = urllib.request.Request(self.server + path, json.dumps(body).encode(), headers)
        for attempt in range(tries):
            try:
                return self._send(request)
            except urllib.error.HTTPError as error:
                problem = json.load(error)
                if not problem.get("retryable") or attempt == tries - 1:
                    raise RuntimeError(f"{problem['code']}: {problem['detail']}") from None
            except OSError:
                if attempt == tries - 1:
                    raise
            time.sleep(0.2 * 2**attempt)

    def _send(self, request):
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


# #endregion

# #region report
server = os.environ.get("MILEPOST_SERVER", "http://127.0.0.1:8765")
upgrade = Upgrade(server, f"nightly-{uuid.uuid4()}", os.environ.get("MILEPOST_TOKEN"), clusterName="my-cluster")
for node in ["a", "b"]:
    task = f"drain-{node}"
    upgrade.report(
        {"type": "addTask", "taskId": task, "taskName": f"Drain node {node}", "totalSteps": 6, "unit": "pods"},
        {"type": "startTask", "taskId": task},
    )
    for pods in range(1, 7):
        upgrade.report({"type": "updateTaskProgress", "taskId": task, "completedSteps": pods})
    upgrade.report({"type": "completeTask", "taskId": task})
upgrade.report({"type": "completeUpgrade"})
print(json.dumps(upgrade.summary()))
# #endregion
