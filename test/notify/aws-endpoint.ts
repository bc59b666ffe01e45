/** An HTTP endpoint that speaks the protocols of AWS services as the SDK's clients know them, and fails as it is told to. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request as it came. */
export interface AwsRequest {
  /** `PutEvents`, `Publish`, or method and path for a service of the REST kind. */
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly headers: IncomingMessage["headers"];
}

/** `reset`: the connection is cut. `hang`: no answer. `drip`: the answer begins and does not end. */
export type AwsReply =
  | { readonly status?: number; readonly body: unknown; readonly headers?: Record<string, string> }
  | "reset"
  | "hang"
  | "drip";

export interface AwsEndpoint {
  readonly url: string;
  readonly requests: AwsRequest[];
  /** How the requests from now on are answered. */
  reply: (request: AwsRequest) => AwsReply;
}

/** An error as the services with a JSON protocol tell it. */
export const awsError = (type: string, message: string, status = 400): AwsReply => ({
  status,
  body: { __type: type, message, Message: message },
});

/**
 * Listens on a free port until the present test has ended, and lets the SDK find it and some credentials in the environment.
 * The secrets begin with CANARY, so that a test can look whether they come out anywhere.
 */
export async function awsEndpoint(): Promise<AwsEndpoint> {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint: AwsEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    reply: () => awsError("UnknownOperationException", "nothing was planned", 500),
  };
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const read = readRequest(request, Buffer.concat(chunks).toString());
    endpoint.requests.push(read);
    const reply = endpoint.reply(read);
    if (reply === "hang") return;
    if (reply === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    response.setHeader("content-type", typeof request.headers["x-amz-target"] === "string" ? AWS_JSON : "text/xml");
    if (reply === "drip") {
      response.write("{");
      return;
    }
    const { status = 200, body, headers = {} } = reply;
    const isQuery = request.headers["content-type"]?.startsWith("application/x-www-form") === true;
    response.writeHead(status, headers);
    response.end(typeof body === "string" ? body : isQuery ? xml(read.operation, body, status) : JSON.stringify(body));
  }
  setEnvironment(endpoint.url);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return endpoint;
}

const AWS_JSON = "application/x-amz-json-1.1";

function readRequest({ method, url, headers }: IncomingMessage, body: string): AwsRequest {
  const target = headers["x-amz-target"];
  if (typeof target === "string") {
    return { operation: target.split(".")[1] ?? "", input: JSON.parse(body) as Record<string, unknown>, headers };
  }
  if (headers["content-type"]?.startsWith("application/x-www-form") === true) {
    const input = Object.fromEntries(new URLSearchParams(body));
    return { operation: input["Action"] ?? "", input, headers };
  }
  const input = (body === "" ? {} : JSON.parse(body)) as Record<string, unknown>;
  return { operation: `${method} ${url}`, input, headers };
}

/** The answers of SNS: elements named as the operation; text in them. */
function xml(operation: string, body: unknown, status: number): string {
  const fields = body as Record<string, string>;
  if (status >= 400) {
    const [code, message] = [fields["__type"] ?? "", fields["message"] ?? ""];
    return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error><RequestId>r</RequestId></ErrorResponse>`;
  }
  const elements = Object.entries(fields).map(([name, value]) => `<${name}>${escaped(value)}</${name}>`);
  return `<${operation}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><${operation}Result>${elements.join("")}</${operation}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${operation}Response>`;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

export const CANARIES = ["CANARY-secret-access-key", "CANARY-session-token"] as const;

function setEnvironment(url: string): void {
  const values: Record<string, string | undefined> = {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: CANARIES[0],
    AWS_SESSION_TOKEN: CANARIES[1],
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  set(Object.entries(values));
  onTestFinished(() => set(before));
}

function set(values: readonly (readonly [name: string, value: string | undefined])[]): void {
  for (const [name, value] of values) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
