import type { ServerResponse } from "node:http";

import { webhook } from "../../src/notify/webhook.ts";
import { notifierContract, type Behaviour } from "../contracts/notifier.contract.ts";
import { receiver } from "./receivers.ts";
import { scriptedNotifier, DELIVERED, RETRY } from "./scripted-notifier.ts";

/** An HTTP receiver that behaves as it is told. */
async function behaving(): Promise<{ origin: string; behave: (behaviour: Behaviour) => void }> {
  let now: Behaviour = "takes";
  const answer = (_request: unknown, response: ServerResponse): void => {
    if (now === "hangs") return;
    response.statusCode = now === "takes" ? 200 : 503;
    response.end("ok");
  };
  const { origin } = await receiver(answer);
  return { origin, behave: (behaviour) => (now = behaviour) };
}

notifierContract("webhook", async () => {
  const { origin, behave } = await behaving();
  const canary = Buffer.alloc(32, "CANARY").toString("base64");
  const notifier = webhook({
    url: `${origin}/CANARY-path`,
    secrets: [`whsec_${canary}`],
    headers: { authorization: "Bearer CANARY-token" },
    allowedAddresses: ["127.0.0.1"],
  });
  return { notifier, behave, secrets: [canary, "CANARY-token", "CANARY-path"] };
});

notifierContract("the notifier of these tests", async () => {
  const notifier = scriptedNotifier();
  const behave = (behaviour: Behaviour): void => {
    notifier.answer = () => (behaviour === "takes" ? DELIVERED : RETRY);
  };
  return { notifier, behave, secrets: [] };
});
