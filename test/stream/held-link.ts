/** A link whose other side reads when it is told to. */

import { webSocketEncoding, type Encoding } from "../../src/stream/encoding.ts";
import type { Link } from "../../src/stream/link.ts";
import { framedTexts } from "./recorded-log.ts";

export class HeldLink implements Link {
  readonly encoding: Encoding = webSocketEncoding;
  isOpen = true;
  /** What is taken before it is full. */
  windowBytes: number;
  /** The most that ever waited, and the largest single write. */
  peakBytes = 0;
  largestWrite = 0;
  readonly #take: (text: string) => void;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #waiting: (() => void)[] = [];
  trouble: unknown;

  /** @param take - gets each message that the other side has read. */
  constructor(take: (text: string) => void, windowBytes = 0) {
    this.#take = take;
    this.windowBytes = windowBytes;
  }

  get canTake(): boolean {
    return this.isOpen && this.#heldBytes <= this.windowBytes;
  }

  write(bytes: Uint8Array, messages: number): void {
    if (!this.isOpen) return;
    const count = framedTexts(bytes).length;
    if (count !== messages) this.trouble ??= new Error(`${count} messages, said to be ${messages}`);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    this.largestWrite = Math.max(this.largestWrite, bytes.length);
    this.peakBytes = Math.max(this.peakBytes, this.#heldBytes);
  }

  ready(): Promise<void> {
    if (!this.isOpen || this.canTake) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The other side reads what there is. */
  drain(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const bytes of held) {
      try {
        for (const text of framedTexts(bytes)) this.#take(text);
      } catch (error) {
        this.trouble ??= error;
      }
    }
    this.#release();
  }

  close(): void {
    this.isOpen = false;
    this.#held = [];
    this.#release();
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
