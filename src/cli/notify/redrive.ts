/** `milepost notify redrive`: asks for dead letters to be told again, and for a notifier that was stopped to be told at all. */

import { MilepostError, shown } from "../../errors.ts";
import { requestRedrive } from "../../notify/delivery.ts";
import { deliveryReports } from "../../notify/delivery/report.ts";
import { safeText } from "../../view/text/safe-text.ts";
import { say, type Cli, type CommonOptions } from "../context.ts";
import { sayJson } from "../json-text.ts";
import { storageOf } from "../storage.ts";
import { openLog } from "./parts.ts";

export async function redrive(
  cli: Cli,
  { id, notifier }: { readonly id: string; readonly notifier: string },
  options: CommonOptions,
): Promise<void> {
  const storage = storageOf(options);
  (await openLog(storage, id)).close();
  const store = storage.deliveries(id);
  const report = (await deliveryReports(store)).find((each) => each.notifier === notifier);
  if (report === undefined) {
    const known = (await store.list()).map(shown).join(", ") || "none yet";
    const text = `${shown(notifier)} was never told of ${shown(id)}; those that were: ${known}`;
    throw new MilepostError("INVALID_ARGUMENT", text);
  }
  if (report.deadLetters > 0) await requestRedrive(store, notifier, new Date(cli.clock.now()).toISOString());
  if (options.json === true) sayJson(cli, { upgradeId: id, notifier, deadLetters: report.deadLetters });
  else if (options.quiet !== true)
    say(cli, `${report.deadLetters} dead letters are told again by whoever tells ${safeText(notifier)} now or next\n`);
}
