/** What the tests of notifying verbs share: a receiver of webhooks that verifies what it gets, and a config file that names it. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { Webhook } from "standardwebhooks";

import type { ToldEvent } from "../../src/notify/notifier.ts";
import { receiver, type Answer } from "../notify/receivers.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
/** Where the config file finds its secrets. */
export const ENV = { WEBHOOK_SECRET: SECRET };

export interface Ops {
  /** The path of the config file. */
  readonly config: string;
  /** The ids that came, in their order: also those that came again. */
  readonly ids: () => readonly string[];
  readonly events: () => readonly ToldEvent[];
  /** Connections to the receiver that are open. */
  readonly open: () => number;
  /** From now on. */
  answer: Answer;
}

/** A notifier `ops`, to which everything is told unless `rules` say otherwise. */
export async function ops(folder: string, rules: readonly object[] = [{ events: ["*"] }]): Promise<Ops> {
  const told: Ops = {
    config: join(folder, "milepost.config.json"),
    ids: () => posts().map(({ headers }) => String(headers["webhook-id"])),
    events: () =>
      posts().map(
        ({ headers, body }) =>
          (new Webhook(SECRET).verify(body, headers as Record<string, string>) as { data: { event: ToldEvent } }).data
            .event,
      ),
    open: () => open(),
    answer: (_request, response) => response.writeHead(204).end(),
  };
  const { origin, requests, open } = await receiver((request, response) =>
    request.method === "POST" ? told.answer(request, response) : response.end(),
  );
  const posts = () => requests.filter(({ method }) => method === "POST");
  const hook = { kind: "webhook", url: `${origin}/hook`, secrets: [{ env: "WEBHOOK_SECRET" }] };
  const notifiers = { ops: { ...hook, allowedAddresses: ["127.0.0.1"] } };
  writeFileSync(told.config, JSON.stringify({ notifiers, rules }));
  return told;
}
