/** AWS EventBridge, as far as it is there: the settings are taken and kept, sending comes with the delivery machinery. */

import { report, silentLogger, type Logger } from "../tracker/logger.ts";

export interface EventBridgeNotifierOptions {
  readonly busName?: string | undefined;
  /** Default us-east-1. */
  readonly awsRegion?: string | undefined;
  readonly logger?: Logger;
}

export class EventBridgeNotifier {
  readonly busName: string | undefined;
  readonly awsRegion: string;

  constructor({ busName, awsRegion = "us-east-1", logger = silentLogger }: EventBridgeNotifierOptions = {}) {
    this.busName = busName;
    this.awsRegion = awsRegion;
    if (busName !== undefined) {
      report(
        logger,
        "warn",
        `this version sends nothing to EventBridge (bus ${busName}); all events are kept in the log`,
      );
    }
  }

  /** True if events are sent: never in this version. */
  isEnabled(): boolean {
    return false;
  }
}
