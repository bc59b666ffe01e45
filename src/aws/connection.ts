/** One service of AWS over its own SDK: loaded when it is first needed, its troubles told by what can be done about them. */

import { loadPackage } from "../optional-package.ts";
import { report, type Logger } from "../tracker/logger.ts";
import { awsTrouble, type AwsTrouble } from "./trouble.ts";

/** The part of an AWS SDK client (version 3) that is called. Any client of the SDK fits. */
export interface AwsClient {
  send(command: object, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
}

/** What a client of our own is made with. Address and credentials come from the environment, as the SDK reads it. */
interface AwsClientConfig {
  readonly region: string;
  readonly maxAttempts: number;
}

interface OwnClient extends AwsClient {
  readonly config: { readonly credentials: () => Promise<AwsCredentials> };
  destroy(): void;
}

interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A service: its package, and how a client of it is made. */
export interface AwsService<Sdk> {
  readonly packageName: string;
  /** What needs it, for errors. */
  readonly feature: string;
  readonly load: () => Promise<Sdk>;
  readonly makeClient: (sdk: Sdk, config: AwsClientConfig) => OwnClient;
}

/** What came of a request. */
export type AwsAnswer<T> =
  { readonly answer: T; readonly trouble?: undefined } | { readonly answer?: undefined; readonly trouble: AwsTrouble };

export interface AwsConnectionOptions<Sdk> {
  readonly service: AwsService<Sdk>;
  readonly region: string;
  /** Used instead of one of our own; its owner destroys it. */
  readonly client?: AwsClient | undefined;
  readonly logger: Logger;
}

/** The SDK tries once more by itself: a kept connection that had been closed, a clock that is off. Longer waits are the delivery's. */
const ATTEMPTS = 2;
const TIMEOUT_MS = 15_000;
const MAX_MESSAGE = 400;
/** Shorter ones, as of an emulator, are no secrets, and would be found in every word. */
const LEAST_SECRET = 8;

export class AwsConnection<Sdk> {
  readonly #options: AwsConnectionOptions<Sdk>;
  #sdk: Promise<Sdk> | undefined;
  #own: OwnClient | undefined;
  /** Troubles that a person has to end, said once until a request succeeds. */
  readonly #said = new Set<AwsTrouble["kind"]>();

  constructor(options: AwsConnectionOptions<Sdk>) {
    this.#options = options;
  }

  /** True when the last request failed for its credentials: none were found, or AWS does not accept them. */
  get lacksCredentials(): boolean {
    return this.#said.has("credentials");
  }

  /** Sends the command that `make` makes. @throws MISSING_PACKAGE. */
  async send<T>(make: (sdk: Sdk) => object, signal: AbortSignal): Promise<AwsAnswer<T>> {
    const sdk = await this.#load();
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const answer = await (this.#options.client ?? this.#client(sdk)).send(make(sdk), { abortSignal });
      this.#said.clear();
      return { answer: answer as T };
    } catch (error) {
      const trouble = await this.#withoutSecrets(awsTrouble(error));
      this.#tell(trouble);
      // A new client looks for credentials anew: they may have been renewed where they come from.
      if (trouble.kind === "credentials") this.close();
      return { trouble };
    }
  }

  close(): void {
    this.#own?.destroy();
    this.#own = undefined;
  }

  #load(): Promise<Sdk> {
    const { packageName, feature, load } = this.#options.service;
    return (this.#sdk ??= loadPackage(packageName, feature, load).catch((error: unknown) => {
      // It may be installed by the next time.
      this.#sdk = undefined;
      throw error;
    }));
  }

  #client(sdk: Sdk): OwnClient {
    const { service, region } = this.#options;
    return (this.#own ??= service.makeClient(sdk, { region, maxAttempts: ATTEMPTS }));
  }

  async #withoutSecrets(trouble: AwsTrouble): Promise<AwsTrouble> {
    // Looking for credentials again would cost as much time as it has just cost in vain.
    if (trouble.kind === "credentials") return trouble;
    const { credentials } = ((this.#options.client ?? this.#own) as Partial<OwnClient> | undefined)?.config ?? {};
    try {
      const { secretAccessKey, sessionToken } = (await credentials?.()) ?? {};
      return { ...trouble, message: shortened(hidden(trouble.message, [secretAccessKey, sessionToken])) };
    } catch {
      return { ...trouble, message: shortened(trouble.message) };
    }
  }

  #tell({ kind, message }: AwsTrouble): void {
    if ((kind !== "credentials" && kind !== "denied") || this.#said.has(kind)) return;
    this.#said.add(kind);
    report(this.#options.logger, "error", `${this.#options.service.feature}: ${message}`);
  }
}

function hidden(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets.reduce<string>(
    (left, secret) =>
      secret !== undefined && secret.length >= LEAST_SECRET ? left.replaceAll(secret, "[secret]") : left,
    text,
  );
}

function shortened(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE).toWellFormed()}…`;
}
