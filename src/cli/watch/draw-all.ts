/** All upgrades on the terminal: a list, and any of them when it is opened. */

import { isMilepostError } from "../../errors.ts";
import type { ProgressStatus } from "../../model/vocabulary.ts";
import type { Cli } from "../context.ts";
import { display, type Display } from "../presenter/display.ts";
import { FleetScene } from "../presenter/fleet-scene.ts";
import { UpgradeScene } from "../presenter/upgrade-scene.ts";
import { hasKeys } from "../terminal.ts";
import { follow, type Watching } from "./follow.ts";

/**
 * Shows the list, or `first` at once. As long as nobody has gone back from that one, it ends when that one does, as if it had been
 * named.
 *
 * @returns the status with which `first` ended; undefined when it was left.
 */
export async function drawAll(
  cli: Cli,
  watching: Watching,
  first: string | undefined,
): Promise<ProgressStatus | undefined> {
  const drawn = new AllDrawn(cli, watching);
  try {
    return await drawn.run(first);
  } finally {
    drawn.close();
  }
}

class AllDrawn {
  readonly #watching: Watching;
  readonly #display: Display;
  readonly #fleet: FleetScene;
  readonly #now: () => number;
  readonly #hasKeys: boolean;
  /** Ends everything that is read. */
  readonly #ending = new AbortController();
  #opened: { readonly scene: UpgradeScene; readonly closing: AbortController } | undefined;
  #isListing = false;
  #fail: (error: unknown) => void = () => undefined;

  constructor(cli: Cli, watching: Watching) {
    const { source, common, leave } = watching;
    this.#watching = watching;
    this.#now = () => source.now();
    this.#hasKeys = hasKeys(cli);
    this.#fleet = new FleetScene({ now: this.#now, location: source.location, onOpen: (ref) => this.#open(ref) });
    this.#display = display(cli, {
      common,
      leave,
      scene: () => this.#opened?.scene ?? this.#fleet,
      onBack: () => this.#goBack(),
    });
  }

  run(first: string | undefined): Promise<ProgressStatus | undefined> {
    const { leave } = this.#watching;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      const onLeft = () => {
        this.#settle();
        resolve(undefined);
      };
      if (leave.signal.aborted) return onLeft();
      leave.signal.addEventListener("abort", onLeft, { once: true });
      if (first === undefined) this.#list();
      else
        this.#open(first, (status) => {
          // Once somebody has gone back to the list, its end ends nothing else.
          if (this.#isListing) return;
          this.#settle();
          resolve(status);
        });
    });
  }

  close(): void {
    this.#ending.abort();
    this.#display.close();
  }

  /** Shows for good what stands there now. */
  #settle(): void {
    this.#opened?.scene.end();
    this.#fleet.end();
    this.#display.draw();
  }

  #open(ref: string, onEnd?: (status: ProgressStatus) => void): void {
    const closing = new AbortController();
    const scene = new UpgradeScene({ now: this.#now, hint: "q leaves", canGoBack: true, hasKeys: this.#hasKeys });
    this.#opened = { scene, closing };
    const shown = {
      show: (change: Parameters<Parameters<typeof follow>[2]["shown"]["show"]>[0]) => {
        scene.show(change.state, change.connection);
        this.#display.changed();
      },
      setWriter: (has: boolean) => void (scene.hasWriter = has),
    };
    const signal = AbortSignal.any([closing.signal, this.#ending.signal]);
    follow(this.#watching.source, ref, { shown, signal }).then(
      (status) => {
        if (status !== undefined) onEnd?.(status);
      },
      (error: unknown) => {
        // One that was deleted while it was looked at is in the list no more; the others are.
        if (this.#isListing && isMilepostError(error, "UNKNOWN_UPGRADE")) this.#goBack();
        else if (!signal.aborted) this.#fail(error);
      },
    );
    this.#display.changed();
  }

  #goBack(): void {
    this.#opened?.closing.abort();
    this.#opened = undefined;
    this.#list();
  }

  /** Begins to follow all, once. */
  #list(): void {
    if (this.#isListing) return;
    this.#isListing = true;
    this.#followAll().catch((error: unknown) => {
      if (!this.#ending.signal.aborted) this.#fail(error);
    });
  }

  async #followAll(): Promise<void> {
    for await (const { upgrades, connection } of this.#watching.source.watchAll({ signal: this.#ending.signal })) {
      this.#fleet.show(upgrades, connection);
      this.#display.changed();
    }
  }
}
