import { describe, expect, it } from "vitest";
import * as common from "milepost/common";
import * as progress from "milepost/common/progress";
import * as models from "milepost/common/models/progress";
import * as milepost from "milepost";
import * as notifiers from "milepost/notifiers";

/** What can be imported from `milepost`. A change of this list is a change for users: write it into the CHANGELOG. */
const PUBLIC = [
  "CallbackManager",
  "ERRORS",
  "ERROR_MEANINGS",
  "EventBridgeNotifier",
  "MilepostError",
  "ProgressStatus",
  "ProgressStorage",
  "ProgressTracker",
  "TaskType",
  "WebSocketServer",
  "canonicalJson",
  "emptyUpgrade",
  "evolve",
  "isMilepostError",
  "jsonLines",
  "memory",
  "readEvents",
  "readUpgrade",
  "sendCommands",
  "upgradeFromJson",
  "watchUpgrade",
];

/** The methods of the tracker, with the seed document's names in camelCase. */
const TRACKER = [
  "addEventCallback",
  "addStatusCallback",
  "addTask",
  "addTasks",
  "appendLog",
  "calculateProgressPercentage",
  "cancelTask",
  "cancelUpgrade",
  "cleanup",
  "clearInsight",
  "clearWaitingOn",
  "close",
  "completeTask",
  "completeUpgrade",
  "events",
  "execute",
  "failTask",
  "failUpgrade",
  "flush",
  "getCurrentTask",
  "getEstimatedCompletionTime",
  "getProgressSummary",
  "getSystemInfo",
  "getTaskProgress",
  "heartbeat",
  "pauseTask",
  "pauseUpgrade",
  "progress",
  "raiseInsight",
  "resumeTask",
  "resumeUpgrade",
  "retryTask",
  "run",
  "setCurrentPhase",
  "setWaitingOn",
  "skipTask",
  "startTask",
  "startUpgrade",
  "startWebsocketServer",
  "stopWebsocketServer",
  "updateTaskProgress",
];

const names = (value: object) => Object.keys(value).sort();
const members = (type: { prototype: object }) =>
  Object.getOwnPropertyNames(type.prototype)
    .filter((name) => name !== "constructor")
    .sort();

describe("the public exports", () => {
  it("are these names and no others", () => {
    expect(names(milepost)).toEqual([...PUBLIC].sort());
    expect(names(notifiers)).toEqual(["EventBridgeNotifier", "email", "slack", "sms", "webhook"]);
  });

  it("are the same through the import paths of the seed document", () => {
    for (const path of [common, progress]) {
      expect(names(path)).toEqual(names(milepost));
      expect(path.ProgressTracker).toBe(milepost.ProgressTracker);
    }
    expect(names(models)).toEqual(["ProgressStatus", "TaskType"]);
    expect(models.TaskType).toBe(milepost.TaskType);
  });

  it("give the tracker, its storage and its callbacks the documented members", () => {
    expect(members(milepost.ProgressTracker)).toEqual([...TRACKER].sort());
    expect(Symbol.asyncDispose in milepost.ProgressTracker.prototype).toBe(true);
    expect(Object.getOwnPropertyNames(milepost.ProgressTracker)).toContain("open");
    expect(members(milepost.ProgressStorage)).toEqual([
      "deleteProgress",
      "driver",
      "getStorageInfo",
      "loadProgress",
      "saveProgress",
    ]);
    expect(members(milepost.CallbackManager)).toEqual([
      "addEventCallback",
      "addStatusCallback",
      "clearAllCallbacks",
      "getCallbackCounts",
      "getTroubles",
      "notifyEvent",
      "notifyStatusChange",
      "removeEventCallback",
      "removeStatusCallback",
    ]);
  });
});
