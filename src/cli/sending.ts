/** What `milepost start` does for notifiers: with a config it tells them of all upgrades of its storage. */

import type { Storage } from "../storage/storage.ts";
import { report, type Logger } from "../tracker/logger.ts";
import { configOf, type Config, type ConfigOptions } from "./config.ts";
import type { Cli } from "./context.ts";

/** Tells until it is closed. */
export interface Sending {
  /** Lets them be told what is left for so long, then ends. */
  close(drainTimeoutMs: number): Promise<void>;
}

/** Begins nothing yet; undefined without a config. @throws INVALID_ARGUMENT as `readConfig`. */
export async function prepareSending(
  cli: Cli,
  options: ConfigOptions,
  { storage, logger }: { readonly storage: Storage; readonly logger: Logger },
): Promise<(() => Sending) | undefined> {
  const config = await configOf(options, cli, logger);
  if (config === undefined) return undefined;
  const [{ StorageDeliveries }, { deliveryClock }, { rulesRouter }] = await Promise.all([
    import("../notify/storage-deliveries.ts"),
    import("../notify/delivery.ts"),
    import("../notify/rules.ts"),
  ]);
  const { notifiers, rules } = config;
  const channels = notifiers.map(({ notifier }) => ({ notifier, router: rulesRouter(rules, notifier.name) }));
  return () => {
    const deliveries = new StorageDeliveries({ storage, channels, clock: deliveryClock(cli.clock), logger });
    report(logger, "info", whoIsTold(config));
    deliveries.start().catch((error: unknown) => report(logger, "error", "no notifier is told", error));
    return {
      close: async (drainTimeoutMs) => {
        await deliveries.close({ drainTimeoutMs });
        await Promise.all(notifiers.map(({ notifier }) => notifier.close()));
      },
    };
  };
}

function whoIsTold({ notifiers, path }: Config): string {
  if (notifiers.length === 0) return `${path} names no notifier`;
  return `tells ${notifiers.map(({ notifier: { name, kind }, target }) => `${name} (${kind}, ${target})`).join(", ")}`;
}
