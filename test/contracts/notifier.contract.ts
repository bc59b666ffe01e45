/** What every notifier must do (`src/notify/notifier.ts`), whatever it tells. */

import { describe, expect, it } from "vitest";

import type { Notifier, Outcome } from "../../src/notify/notifier.ts";
import { add, begin, fail, start, story } from "../view/story.ts";

/** How the other side behaves. */
export type Behaviour = "takes" | "hangs" | "fails";

/** A notifier and the real thing at its other end. */
export interface Told {
  readonly notifier: Notifier;
  /** May be changed at any time; `takes` at first. */
  readonly behave: (behaviour: Behaviour) => void;
  /** What must never be seen in an outcome or error. */
  readonly secrets: readonly string[];
}

const { state, events } = story([
  [0, start("Nodes"), add("ng-1"), begin("ng-1"), add("ng-2"), begin("ng-2")],
  [9, fail("ng-2", "no room")],
]);
const NEVER = new AbortController().signal;

/** Holds a notifier to the port. `create` makes it anew for each test, and removes it when that is over. */
export function notifierContract(name: string, create: () => Promise<Told>): void {
  describe(`${name}, as a notifier`, () => {
    it("has a name that is one of a file, a kind, and limits", async () => {
      const { notifier } = await create();
      expect(notifier.name).toMatch(/^[a-z0-9][a-z0-9-]{0,63}$/);
      expect(notifier.kind).not.toBe("");
      expect(notifier.limits.maxEvents).toBeGreaterThanOrEqual(1);
      expect(notifier.limits.maxBytes).toBeGreaterThanOrEqual(1);
      await notifier.close();
    });

    it("gives one outcome for each event of any batch within its limits", async () => {
      const { notifier } = await create();
      const most = events.slice(0, notifier.limits.maxEvents);
      for (const batch of [most.slice(0, 1), most]) {
        const outcomes = await notifier.notify({ events: batch, state }, { signal: NEVER });
        expect(outcomes.map(({ status }) => status)).toEqual(batch.map(() => "delivered"));
      }
      await notifier.close();
    });

    it("ends when its signal says so, and does not say that it delivered", async () => {
      const { notifier, behave } = await create();
      behave("hangs");
      const ending = new AbortController();
      const told = settled(notifier, ending.signal);
      setTimeout(() => ending.abort(new Error("the time is up")), 50);
      expect((await told).outcomes.map(({ status }) => status)).toEqual(["retry"]);
      expect((await settled(notifier, AbortSignal.abort())).outcomes.map(({ status }) => status)).toEqual(["retry"]);
      await notifier.close();
    });

    it("says of a failing other side that another try is worth it, with a code, and goes on when it is well again", async () => {
      const { notifier, behave } = await create();
      behave("fails");
      const [outcome] = (await settled(notifier, NEVER)).outcomes;
      expect(outcome).toMatchObject({
        status: "retry",
        code: expect.stringMatching(/./),
        message: expect.stringMatching(/./),
      });
      behave("takes");
      expect((await settled(notifier, NEVER)).outcomes[0]?.status).toBe("delivered");
      await notifier.close();
    });

    it("tells no secret in what it answers", async () => {
      const { notifier, behave, secrets } = await create();
      for (const behaviour of ["takes", "fails"] as const) {
        behave(behaviour);
        const { text } = await settled(notifier, NEVER);
        for (const secret of secrets) expect(text).not.toContain(secret);
      }
      await notifier.close();
    });

    it("may be closed twice", async () => {
      const { notifier } = await create();
      await notifier.close();
      await notifier.close();
    });
  });
}

/** Tells of the last event; a rejection counts as the delivery counts it. */
async function settled(
  notifier: Notifier,
  signal: AbortSignal,
): Promise<{ outcomes: readonly Outcome[]; text: string }> {
  try {
    const outcomes = await notifier.notify({ events: events.slice(-1), state }, { signal });
    return { outcomes, text: JSON.stringify(outcomes) };
  } catch (error) {
    const { message, stack } = error as Error;
    return { outcomes: [{ status: "retry", code: "REJECTED", message }], text: `${message}\n${stack}` };
  }
}
