/**
 * Requests to addresses that a configuration names: they reach public addresses and listed ones, nothing else, whatever DNS
 * says. The address is checked where the connection is made, so a name that changes its mind in between does not pass.
 * Redirects are not followed, the answer is read up to a limit, and the whole has one deadline.
 */

import { lookup as resolveName, type LookupAddress } from "node:dns";
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";

import { MilepostError, shown } from "./errors.ts";
import { isLoopback, isPublicAddress, plainAddress, type AddressList } from "./ip-addresses.ts";

export interface OutboundRequest {
  /** Default GET. */
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Addresses that are reached though they are not public. */
  readonly allowed: AddressList;
  /** For all of it: name, connection, answer. */
  readonly timeoutMs: number;
  /** A longer answer is an error. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  /** Connections that are used again ({@link keptConnections}). Default: one of its own for this request. */
  readonly connections?: HttpAgent;
}

export interface OutboundResponse {
  /** As it came; a redirect is one of 300 to 399. */
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/**
 * The URL, if it may be asked: https, or http to a loopback address that is listed; no name or password in it. A private
 * address written out is refused here already.
 *
 * @param field - what the URL is called, for the error.
 * @throws INVALID_ARGUMENT.
 */
export function checkOutboundUrl(text: string, allowed: AddressList, field: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new MilepostError("INVALID_ARGUMENT", `${field} must be a URL, not ${shown(text)}`);
  // Never shown: a password may stand in it.
  if (url.username !== "" || url.password !== "") {
    throw new MilepostError("INVALID_ARGUMENT", `${field} must not hold a name or password`);
  }
  const literal = plainAddress(bareHost(url));
  const isListedLoopback = literal !== undefined && isLoopback(literal) && allowed.has(literal);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isListedLoopback)) {
    throw new MilepostError(
      "INVALID_ARGUMENT",
      `${field} must begin with https:, or be http: on a loopback address that the allowed addresses list, not ${shown(text)}`,
    );
  }
  if (literal !== undefined) checkAddress(literal, allowed, url.hostname);
  return url;
}

/**
 * Connections to one URL that stay open between requests, at most `max` of them. For one configuration alone: each was checked
 * by its allowed addresses when it was made, and by nobody else's. They keep no process alive. `destroy()` closes them.
 */
export function keptConnections({ protocol }: URL, max: number): HttpAgent {
  const settings = { keepAlive: true, maxFreeSockets: max };
  return protocol === "https:" ? new HttpsAgent(settings) : new HttpAgent(settings);
}

/** Asks, once; anew where a connection that was kept turns out to be closed. @throws FORBIDDEN for an address that is not public, TOO_LARGE, TIMEOUT; the system's own error when it cannot connect. */
export async function requestOutbound(url: URL, options: OutboundRequest): Promise<OutboundResponse> {
  const { allowed, timeoutMs, maxBytes, signal, connections } = options;
  const deadline = AbortSignal.timeout(timeoutMs);
  const ending = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  const literal = plainAddress(bareHost(url));
  // Node does not look an address up that is written out.
  if (literal !== undefined) checkAddress(literal, allowed, url.hostname);
  const send = (agent: HttpAgent | undefined): Promise<IncomingMessage> => sendOnce(url, { ...options, agent, ending });
  try {
    const response = await send(connections).catch((error: unknown) => {
      if (!wasClosed.has(error as Error)) throw error;
      return send(undefined);
    });
    return { status: response.statusCode ?? 0, headers: response.headers, body: await readUpTo(response, maxBytes) };
  } catch (error) {
    if (deadline.aborted) {
      throw new MilepostError("TIMEOUT", `${shown(url.host)} did not answer within ${timeoutMs} ms`, { cause: error });
    }
    throw error;
  }
}

/** Errors of connections that had been kept and that the other side had closed meanwhile, as it may at any time. */
const wasClosed = new WeakSet<Error>();

function sendOnce(
  url: URL,
  { method = "GET", headers = {}, body, allowed, agent, ending }: OutboundRequest & Sending,
): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: agent === undefined ? { ...headers, connection: "close" } : headers,
      // Without connections that belong to this configuration it is one of its own: another was checked for somebody else.
      agent: agent ?? false,
      lookup: guardedLookup(allowed),
      signal: ending,
    });
    sent.on("response", resolve);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (sent.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE")) wasClosed.add(error);
      reject(error);
    });
    sent.end(body);
  });
}

interface Sending {
  readonly agent: HttpAgent | undefined;
  readonly ending: AbortSignal;
}

/** Looks names up as ever, and refuses those of which any address is neither public nor listed. */
function guardedLookup(allowed: AddressList): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      try {
        for (const { address } of addresses) checkAddress(address, allowed, hostname);
      } catch (refusal) {
        return callback(refusal as Error, "");
      }
      const [first] = addresses as [LookupAddress];
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function checkAddress(address: string, allowed: AddressList, host: string): void {
  if (isPublicAddress(address) || allowed.has(address)) return;
  throw new MilepostError(
    "FORBIDDEN",
    `${shown(host)} is at ${shown(address)}, which is not a public address: list it among the allowed addresses if it is meant`,
  );
}

async function readUpTo(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      response.destroy();
      throw new MilepostError("TOO_LARGE", `the answer has more than ${maxBytes} bytes`, {
        context: { status: response.statusCode },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
