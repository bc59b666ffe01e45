import { expect, test } from "vitest";

import { memory, ProgressTracker } from "../../src/index.ts";
import { LiveLog } from "../../src/stream/live-log.ts";
import { silentLogger } from "../../src/tracker/logger.ts";

test("a log that is closed while its history is read anew leaves no reader open", async () => {
  const storage = memory();
  const tracker = new ProgressTracker({ upgradeId: "up", planId: "p", clusterName: "c", storage });
  tracker.startUpgrade();
  let opened = 0;
  const open = new Set<number>();
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  let goOn: () => void = () => undefined;
  const log = await LiveLog.open({
    source: {
      ref: "up",
      openReader: async () => {
        const reader = await storage.openReader("up");
        if (reader === undefined) return undefined;
        const number = ++opened;
        open.add(number);
        if (number === 2) await new Promise<void>((resolve) => (isAsked(), (goOn = resolve)));
        return { ...reader, header: reader.header, close: () => void open.delete(number) };
      },
      waitingLines: () => [],
      watch: (onChange) => tracker.addEventCallback(onChange),
      holder: () => Promise.resolve(undefined),
    },
    logger: silentLogger,
    onReleased: () => undefined,
  });
  tracker.completeUpgrade();
  tracker.startUpgrade("again");
  await asked;
  log.close();
  goOn();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect([opened, ...open]).toEqual([2]);
  await tracker.close();
});
