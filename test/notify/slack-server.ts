/** Slack as far as messages go: a real HTTP server with its methods, its limits and its faults. */

import { parse } from "node:querystring";
import type { ServerResponse } from "node:http";

import { receiver, type Received, type Receiver } from "./receivers.ts";

interface TextObject {
  readonly type: string;
  readonly text: string;
}
interface Block {
  readonly type: string;
  readonly text?: TextObject;
  readonly fields?: readonly TextObject[];
  readonly elements?: readonly TextObject[];
}

interface Message {
  readonly ts: string;
  readonly channel: string;
  readonly thread: string | undefined;
  text: string;
  blocks: readonly Block[];
  edits: number;
}

export type Fault = (response: ServerResponse) => unknown;

export interface SlackServer extends Receiver {
  /** For the option `slackApiUrl`. */
  readonly api: string;
  readonly messages: Message[];
  /** `post C1`, `update C1 1.000001`, … in the order in which they came. */
  readonly calls: string[];
  /** When each of them came, by the clock that was given. */
  readonly times: number[];
  /** What the next requests are answered with in place of what Slack would say; undefined for one that is as ever. */
  readonly faults: (Fault | undefined)[];
  scopes: string;
}

export const TOKEN = "xoxb-canary-0123456789-abcdef";

export async function slackServer(now = (): number => 0): Promise<SlackServer> {
  const messages: Message[] = [];
  const calls: string[] = [];
  const times: number[] = [];
  const faults: SlackServer["faults"] = [];
  const state = { scopes: "chat:write,channels:read" };
  const base = await receiver((request, response) => {
    const fault = faults.shift();
    if (fault !== undefined) return fault(response);
    const method = request.url.split("/").at(-1) ?? "";
    const fields = Object.fromEntries(
      Object.entries(parse(request.body)).map(([name, value]) => [name, String(value)]),
    );
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return say(response, { ok: false, error: "invalid_auth" });
    response.setHeader("x-oauth-scopes", state.scopes);
    times.push(now());
    return say(response, answer(method, fields, { messages, calls }));
  });
  return Object.assign(state, { ...base, api: `${base.origin}/api/`, messages, calls, times, faults });
}

/** An incoming webhook, which takes JSON and answers "ok". */
export async function slackHook(): Promise<Receiver & { readonly faults: SlackServer["faults"] }> {
  const faults: SlackServer["faults"] = [];
  const base = await receiver((request, response) => {
    const fault = faults.shift();
    if (fault !== undefined) return void fault(response);
    if (request.method !== "POST") return void response.writeHead(400).end("invalid_payload");
    const wrong = refusal(blocksOf(request), JSON.parse(request.body).text);
    response.writeHead(wrong === undefined ? 200 : 400).end(wrong ?? "ok");
  });
  return { ...base, faults };
}

export const blocksOf = ({ body }: Received): readonly Block[] => JSON.parse(body).blocks;

/** All that a reader of these blocks reads. */
export const textsOf = (blocks: readonly Block[]): readonly string[] =>
  blocks.flatMap(({ text, fields = [], elements = [] }) =>
    [text, ...fields, ...elements].flatMap((one) => one?.text ?? []),
  );

function say(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function answer(
  method: string,
  fields: Readonly<Record<string, string>>,
  { messages, calls }: Pick<SlackServer, "messages" | "calls">,
): object {
  const { channel = "", ts, thread_ts: thread, text = "" } = fields;
  if (method === "auth.test") return { ok: true, user_id: "U1" };
  if (channel === "C404") return { ok: false, error: "channel_not_found" };
  const blocks = JSON.parse(fields["blocks"] ?? "[]") as readonly Block[];
  const wrong = refusal(blocks, text);
  if (wrong !== undefined) return { ok: false, error: wrong };
  if (fields["parse"] !== "none" || fields["link_names"] !== "false") return { ok: false, error: "would_link_names" };
  if (method === "chat.postMessage") {
    const made = {
      ts: `1.${String(messages.length + 1).padStart(6, "0")}`,
      channel: "C1",
      thread,
      text,
      blocks,
      edits: 0,
    };
    messages.push(made);
    calls.push(`post ${thread ?? channel}`);
    return { ok: true, channel: made.channel, ts: made.ts };
  }
  const found = messages.find((message) => message.ts === ts && message.channel === channel);
  if (method !== "chat.update") return { ok: false, error: "unknown_method" };
  if (found === undefined) return { ok: false, error: "message_not_found" };
  Object.assign(found, { text, blocks, edits: found.edits + 1 });
  calls.push(`update ${ts}`);
  return { ok: true, channel, ts };
}

/** Slack's limits, and the one on the whole that it does not document. */
function refusal(blocks: readonly Block[], text: string): string | undefined {
  if (text === "") return "no_text";
  if (text.length > 4000) return "msg_too_long";
  if (blocks.length === 0 || blocks.length > 50) return "invalid_blocks";
  const texts = textsOf(blocks);
  if (texts.reduce((sum, one) => sum + one.length, 0) > 10_000) return "msg_blocks_too_long";
  for (const block of blocks) {
    const isWrong =
      !["section", "context"].includes(block.type) ||
      (block.text === undefined && (block.fields ?? block.elements) === undefined) ||
      (block.fields ?? []).length > 10 ||
      (block.elements ?? []).length > 10 ||
      [block.fields, block.elements].some((list) => list?.length === 0) ||
      (block.fields ?? []).some((field) => field.text.length > 2000) ||
      textsOf([block]).some((one) => one === "" || one.length > 3000);
    if (isWrong) return "invalid_blocks";
  }
  return undefined;
}
