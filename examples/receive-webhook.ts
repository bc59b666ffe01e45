// Receives Milepost's webhooks: MILEPOST_WEBHOOK_SECRET=whsec_… node examples/receive-webhook.ts [port]
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { Webhook } from "standardwebhooks";
import type { WebhookData } from "milepost/notifiers";

// #region receive
const webhook = new Webhook(process.env["MILEPOST_WEBHOOK_SECRET"] ?? "");
const seen = new Set<string>();

const server = createServer((request, response) => {
  void text(request).then((body) => {
    const headers = request.headers as Record<string, string>;
    const id = headers["webhook-id"] ?? "";
    try {
      const { type, data } = webhook.verify(body, headers) as { type: string; data: WebhookData };
      // The same event may come again, with the same id. A real receiver keeps the ids where it keeps what it does with them.
      if (!seen.has(id)) console.log(`${data.severity} ${type} ${data.headline}`);
      seen.add(id);
      response.writeHead(204).end();
    } catch {
      // Not from Milepost, or altered, or old.
      response.writeHead(401).end();
    }
  });
});
// #endregion receive

server.listen(Number(process.argv[2] ?? 8787), "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") console.log(`http://127.0.0.1:${address.port}/`);
});
