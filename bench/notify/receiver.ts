/**
 * The other side of every notifier, in a process of its own: an HTTP server that takes, refuses, is slow or hangs by the path of
 * the URL and answers in the words of AWS where it is asked in them, and a mail server. Sends its two ports; ends with its parent.
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createMailServer, type AddressInfo, type Server } from "node:net";

/** What the process sends when it listens. */
export interface Ports {
  readonly http: number;
  readonly smtp: number;
}

const SLOW_MS = 250;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const path = request.url ?? "";
  if (path.endsWith("/hang")) return;
  if (path.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  if (path.endsWith("/refuse")) response.statusCode = 400;
  response.end(bodyFor(request, Buffer.concat(chunks)));
}

function bodyFor({ headers }: IncomingMessage, body: Buffer): string {
  if (headers["content-type"]?.startsWith("application/x-www-form") === true)
    return "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";
  if (typeof headers["x-amz-target"] !== "string") return "ok";
  const { Entries } = JSON.parse(body.toString()) as { readonly Entries: readonly unknown[] };
  return JSON.stringify({ FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: "e" })) });
}

/** As much of SMTP as one client needs: every mail is taken. */
function mailServer(): Server {
  return createMailServer((socket) => {
    let text = "";
    let isData = false;
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    const read = (line: string): void => {
      if (/^DATA$/i.test(line)) isData = true;
      say(/^DATA$/i.test(line) ? "354 go on" : "250 ok");
    };
    say("220 bench");
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (;;) {
        const end = text.indexOf(isData ? "\r\n.\r\n" : "\r\n");
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + (isData ? 5 : 2));
        if (!isData) read(line);
        else {
          isData = false;
          say("250 taken");
        }
      }
    });
  });
}

const portOf = async (server: Server): Promise<number> => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};

const [http, smtp] = await Promise.all([
  portOf(createServer((request, response) => void answer(request, response))),
  portOf(mailServer()),
]);
process.send?.({ http, smtp } satisfies Ports);
process.on("disconnect", () => process.exit());
