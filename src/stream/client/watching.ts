/** Follows a channel through one connection after the other, for as long as its reader wants. */

import { isMilepostError, MilepostError } from "../../errors.ts";
import { serverAddress } from "./address.ts";
import { checkBackoff, retryDelayMs, type Backoff } from "./backoff.ts";
import { systemClock, type ClientClock } from "./clock.ts";
import { isSameConnection, type Connection } from "./connection.ts";
import { endingOfError, endingOfTrouble, type Ending } from "./ending.ts";
import type { Feed, Shown } from "./feed.ts";
import { Session } from "./session.ts";
import type { ClientSocketClass } from "./socket.ts";
import { Unread } from "./unread.ts";

/** How the client connects. */
export interface ConnectOptions {
  /** The bearer token, or what gives one: it is called before each connection, so that an expired token is replaced. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** The class that connects. The browser's and Node's own by default. */
  readonly WebSocket?: ClientSocketClass | undefined;
  readonly clock?: ClientClock | undefined;
  /** A number from 0 to 1, for the waiting time before a new connection. */
  readonly random?: (() => number) | undefined;
  readonly backoff?: Backoff | undefined;
}

export class Watching<Item, Change> implements AsyncIterableIterator<Item, undefined> {
  readonly #server: URL;
  readonly #feed: Feed<Item, Change>;
  readonly #options: ConnectOptions;
  readonly #WebSocket: ClientSocketClass;
  readonly #clock: ClientClock;
  readonly #backoff: Required<Backoff>;
  readonly #unread: Unread<Item>;
  readonly #onAbort = (): void => this.#stop();
  #connection: Connection | undefined;
  #session: Session<Change> | undefined;
  #isTokenSaid = false;
  #isStarted = false;
  #isStopped = false;
  /** Ends what is being waited for. */
  #wake: () => void = () => undefined;

  /** @throws INVALID_ARGUMENT. */
  constructor(url: string | URL, options: ConnectOptions, feed: Feed<Item, Change>) {
    this.#server = serverAddress(url);
    this.#options = options;
    this.#WebSocket = options.WebSocket ?? globalSocketClass();
    this.#clock = options.clock ?? systemClock;
    this.#backoff = checkBackoff(options.backoff);
    this.#feed = feed;
    this.#unread = new Unread(feed);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (!this.#isStarted) this.#start();
    return this.#unread.take();
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.#stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  #start(): void {
    const { signal } = this.#options;
    this.#isStarted = true;
    if (signal?.aborted === true) return this.#stop();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    void this.#follow();
  }

  #stop(): void {
    this.#isStarted = true;
    this.#isStopped = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#unread.end();
    this.#session?.stop();
    this.#wake();
  }

  /** Never rejects: what ends it for good is told to the reader. */
  async #follow(): Promise<void> {
    for (let attempt = 1; !this.#isStopped;) {
      this.#show({ status: "connecting" });
      const ending = await this.#connect();
      if (this.#isStopped) return;
      const wasStable = this.#session?.wasStable === true;
      // A handshake that is refused does not say why; a message with a wrong token is answered.
      this.#isTokenSaid = this.#session?.wasWelcome === false && !this.#isTokenSaid;
      this.#session = undefined;
      if (ending?.isFinal === true) return this.#close(ending.error);
      if (ending === undefined) {
        attempt = 1;
        await this.#untilRead();
      } else {
        if (wasStable) attempt = 1;
        await this.#waitBefore(attempt, ending.error.message);
        attempt += 1;
      }
    }
  }

  /** One connection; undefined when it was given up because nobody reads. */
  async #connect(): Promise<Ending | undefined> {
    try {
      const token = await this.#token();
      if (this.#isStopped) return undefined;
      const ending = await this.#converse(token);
      const isSpent = isMilepostError(ending?.error, "TOKEN_EXPIRED") && typeof this.#options.token !== "function";
      return ending && isSpent ? { ...ending, isFinal: true } : ending;
    } catch (error) {
      if (isMilepostError(error)) return endingOfError(error);
      return endingOfTrouble(error instanceof Error ? error.message : String(error), error);
    }
  }

  #converse(token: string | undefined): Promise<Ending | undefined> {
    return new Promise((resolve) => {
      this.#wake = () => resolve(undefined);
      this.#session = new Session<Change>({
        WebSocket: this.#WebSocket,
        server: this.#server,
        token,
        isTokenSaid: this.#isTokenSaid,
        feed: this.#feed,
        clock: this.#clock,
        onUpdate: (connection, shown) => this.#show(connection, shown),
        onEnd: resolve,
      });
    });
  }

  async #token(): Promise<string | undefined> {
    const { token } = this.#options;
    const given = typeof token === "function" ? await token() : token;
    if (given === undefined || (typeof given === "string" && given !== "")) return given;
    throw new MilepostError("INVALID_ARGUMENT", "token must be text, or a function that gives text, not empty");
  }

  #show(connection: Connection, shown?: Shown<Change>): void {
    if (shown === undefined && this.#connection !== undefined && isSameConnection(connection, this.#connection)) return;
    this.#connection = connection;
    this.#unread.push(this.#feed.item(connection, shown?.change), shown?.sizeChars ?? 0);
    if (this.#unread.isFull && this.#session !== undefined) this.#giveUp(this.#session);
  }

  /** Nothing can be held back on a WebSocket but by closing it. The feed has its place; it goes on from there. */
  #giveUp(session: Session<Change>): void {
    session.stop();
    this.#wake();
  }

  async #untilRead(): Promise<void> {
    this.#show({
      status: "waiting",
      retryInMs: 0,
      attempt: 0,
      reason: "the reader takes events slower than they come",
    });
    await this.#unread.empty();
  }

  async #waitBefore(attempt: number, reason: string): Promise<void> {
    const { random = Math.random } = this.#options;
    const retryInMs = retryDelayMs(attempt, random, this.#backoff);
    this.#show({ status: "waiting", retryInMs, attempt, reason });
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.schedule(resolve, retryInMs);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #close(error: MilepostError): void {
    this.#show({ status: "closed", code: error.code, reason: error.message });
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#unread.fail(error);
  }
}

function globalSocketClass(): ClientSocketClass {
  const { WebSocket: Class } = globalThis as { readonly WebSocket?: ClientSocketClass };
  if (Class !== undefined) return Class;
  throw new MilepostError("INVALID_ARGUMENT", "this platform has no WebSocket class; pass one as the option WebSocket");
}
