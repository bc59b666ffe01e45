/** Slack by a bot: one card for each upgrade, edited in place, and replies to it for failures and the end. */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { Clock } from "../../tracker/clock.ts";
import type { Batch, NotifyOptions, Outcome, ToldEvent } from "../notifier.ts";
import { severity } from "../wording.ts";
import { cardsIn, parsePlace, remember, type CardPlace, type CardStore } from "./cards.ts";
import { slackFailure, type SlackClient } from "./client.ts";
import { cardMessage, isTelling, replyMessage } from "./message.ts";
import type { Pace } from "./pace.ts";

export interface BotOptions {
  readonly client: () => Promise<SlackClient>;
  readonly channel: string;
  /** Where the cards are kept; with the delivery when absent. */
  readonly cards?: CardStore | undefined;
  readonly baseUrl?: string | undefined;
  readonly pace: Pace;
  readonly clock: Clock;
  /** Takes secrets out of text. */
  readonly clean: (text: string) => string;
}

/** One call: until when, and where the cards are kept. */
interface Telling {
  readonly signal: AbortSignal;
  readonly cards: CardStore;
}

/** A card as this process knows it. */
interface Card {
  readonly place: CardPlace;
  readonly isSaved: boolean;
  /** The state and the event that it shows; nothing is known of one from before the start. */
  readonly seq: number;
  readonly eventSeq: number;
  /** Monotonic. */
  readonly shownAt: number;
}

const EDIT_GAP_MS = 2_000;
/** The card is not there any more, or not ours to edit: there has to be another. */
const LOST_CARD: ReadonlySet<string> = new Set(["message_not_found", "cant_update_message", "edit_window_closed"]);
const ENDS: ReadonlySet<string> = new Set(["upgrade.completed", "upgrade.failed", "upgrade.cancelled"]);

export class SlackBot {
  readonly #options: BotOptions;
  readonly #known = new Map<string, Card>();
  /** Batches of one upgrade wait for each other, or there would be two cards. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(options: BotOptions) {
    this.#options = options;
  }

  async tell(batch: Batch, { signal, memory }: NotifyOptions): Promise<readonly Outcome[]> {
    const telling = { signal, cards: this.#options.cards ?? cardsIn(memory) };
    const key = keyOf(batch.state);
    const before = this.#busy.get(key) ?? Promise.resolve();
    const told = before.then(() => this.#tell(batch, telling));
    const settled = told.catch(() => undefined);
    this.#busy.set(key, settled);
    try {
      return await told;
    } finally {
      if (this.#busy.get(key) === settled) this.#busy.delete(key);
    }
  }

  async #tell({ events, state }: Batch, call: Telling): Promise<readonly Outcome[]> {
    const telling = events.filter(isTelling);
    const last = telling.at(-1);
    if (last === undefined) return events.map(() => UNTOLD);
    const shown = await this.#show(last, state, call);
    if (shown.status !== "delivered") return events.map((event) => (isTelling(event) ? shown : UNTOLD));
    const grave = telling.filter(isForThread);
    const replied = grave.length === 0 ? shown : await this.#reply(grave, state, call);
    return events.map((event) => (!isTelling(event) ? UNTOLD : grave.includes(event) ? replied : shown));
  }

  /** Makes the card show this state or a later one. */
  async #show(event: ProgressEvent, state: UpgradeProgress, call: Telling): Promise<Outcome> {
    const card = await this.#card(state, call.cards);
    if (card === undefined) return this.#post(event, state, call);
    if (!card.isSaved) await this.#save(state, card, call.cards);
    const isShown = card.seq > state.seq || (card.seq === state.seq && card.eventSeq >= event.seq);
    if (isShown) return { status: "delivered", answer: `card ${card.place.ts}` };
    const { channel, ts } = card.place;
    const message = cardMessage(event, state, this.#options.baseUrl);
    const edit = async (): Promise<Outcome> => {
      const outcome = await this.#call("chat.update", { channel, ts, ...message });
      if (outcome.status === "delivered") this.#remember(state, { ...card, seq: state.seq, eventSeq: event.seq });
      return outcome;
    };
    const outcome = await this.#options.pace.request(edit, call.signal, card.shownAt + EDIT_GAP_MS);
    if (outcome.status !== "refused" || !LOST_CARD.has(outcome.code)) return outcome;
    return this.#post(event, state, call);
  }

  async #card(state: UpgradeProgress, cards: CardStore): Promise<Card | undefined> {
    const key = keyOf(state);
    const known = this.#known.get(key);
    if (known !== undefined && (!known.isSaved || this.#options.cards !== undefined)) return known;
    const place = parsePlace(await cards.load(key));
    // Another process may have told the delivery meanwhile, and made another card.
    if (known !== undefined && (place === undefined || place.ts === known.place.ts)) return known;
    return place && { place, isSaved: true, seq: 0, eventSeq: 0, shownAt: Number.NEGATIVE_INFINITY };
  }

  #remember(state: UpgradeProgress, card: Omit<Card, "shownAt">): void {
    remember(this.#known, keyOf(state), { ...card, shownAt: this.#options.clock.monotonic() });
  }

  /** Known before it is saved: a card that could not be saved is saved with the next batch, and not posted again. */
  async #save(state: UpgradeProgress, card: Omit<Card, "shownAt">, cards: CardStore): Promise<void> {
    this.#remember(state, card);
    await cards.save(keyOf(state), JSON.stringify(card.place));
    this.#remember(state, { ...card, isSaved: true });
  }

  async #post(event: ProgressEvent, state: UpgradeProgress, { signal, cards }: Telling): Promise<Outcome> {
    const { baseUrl, channel, pace } = this.#options;
    const post = async (): Promise<Outcome> => {
      let place: CardPlace | undefined;
      const outcome = await this.#call(
        "chat.postMessage",
        { channel, ...cardMessage(event, state, baseUrl) },
        (answer) => {
          place = { channel: textIn(answer, "channel") ?? channel, ts: textIn(answer, "ts") ?? "" };
        },
      );
      const card = place && { place, isSaved: false, seq: state.seq, eventSeq: event.seq };
      if (card !== undefined) await this.#save(state, card, cards);
      return outcome;
    };
    return pace.request(post, signal);
  }

  async #reply(events: readonly ProgressEvent[], state: UpgradeProgress, { signal, cards }: Telling): Promise<Outcome> {
    const place = (await this.#card(state, cards))?.place;
    const { channel, pace } = this.#options;
    const where = place === undefined ? { channel } : { channel: place.channel, thread_ts: place.ts };
    return pace.request(() => this.#call("chat.postMessage", { ...where, ...replyMessage(events, state) }), signal);
  }

  async #call(
    method: string,
    options: Record<string, unknown>,
    onAnswer?: (answer: unknown) => void,
  ): Promise<Outcome> {
    const client = await this.#options.client();
    try {
      const answer = await client.apiCall(method, options);
      onAnswer?.(answer);
      return { status: "delivered", answer: `${method} ${textIn(answer, "ts") ?? ""}`.trim() };
    } catch (error) {
      return slackFailure(error, this.#options.clean);
    }
  }
}

/** What has a message of its own below the card, also what is told again since nothing has changed. */
const isForThread = (event: ToldEvent): boolean =>
  event.repeat !== undefined || severity(event) === "error" || ENDS.has(event.type);

const keyOf = ({ run, upgradeId }: UpgradeProgress): string => `${run} ${upgradeId}`;

const UNTOLD: Outcome = { status: "delivered", answer: "nothing that people want to know" };

function textIn(answer: unknown, field: string): string | undefined {
  const value = (answer as Readonly<Record<string, unknown>> | undefined)?.[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}
