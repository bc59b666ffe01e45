/** What every notifier must do (`src/notify/notifier.ts`), whatever it tells. */

import { inspect } from "node:util";

import { describe, expect, it } from "vitest";

import type { ProgressEvent } from "../../src/model/event.ts";
import type { Notifier, Outcome } from "../../src/notify/notifier.ts";
import { add, begin, fail, start, story } from "../view/story.ts";

/**
 * How the other side behaves. `waits`: asks for 30 seconds. `denies`: knows the credentials for wrong. `echoes`: refuses, and
 * repeats all that it was given and every secret. `cuts`: ends the connection. `hangs`: no answer. `drips`: one without end.
 */
export type Behaviour = "takes" | "fails" | "refuses" | "waits" | "denies" | "echoes" | "cuts" | "hangs" | "drips";

/** A notifier and the real thing at its other end. */
export interface Told {
  readonly notifier: Notifier;
  /** Another one made from the same options, as the next process makes it. */
  readonly again: () => Notifier;
  /** May be changed at any time; `takes` at first. */
  readonly behave: (behaviour: Behaviour) => void;
  /** What must never be seen in an outcome, an error, a line of the log or the notifier itself. */
  readonly secrets: readonly string[];
  /** The lines of its log. */
  readonly logged?: readonly string[];
  /** Lets time pass, where it keeps to a clock of the test's. */
  readonly pass?: (ms: number) => void;
  /** What the other side got, a text for each message that it took or refused. */
  readonly received: () => readonly string[];
  /** By which it knows an event again, in the order in which they came. */
  readonly identities?: () => readonly string[];
}

/** What differs between kinds, and why. */
export interface Kind {
  /** What wrong credentials are: worth waiting for somebody who renews them, or a refusal. */
  readonly denied: "retry" | "refused";
  /** True if its protocol has words for "come back in 30 seconds". */
  readonly canBeAskedToWait: boolean;
  /** Why the other side cannot know an event again. */
  readonly hasNoIdentity?: string;
  /** Hostile text as it must not come out at the other side. */
  readonly dangerous: RegExp;
}

const { state, events } = story([
  [0, start("Nodes"), add("ng-1"), begin("ng-1"), add("ng-2"), begin("ng-2")],
  [9, fail("ng-2", "no room")],
]);
const FAILED = events.at(-1) as ProgressEvent;
const NEVER = new AbortController().signal;
/** Lines that would be headers, marks that would be HTML, mentions, controls, half characters, and text that turns round. */
const HOSTILE =
  "no room\r\nBcc: evil@example.net\r\n\r\n<script>alert(1)</script><!channel> <@U1> @everyone &amp; \u0000\u001b[2J\u202e\ud800 \u2028 ${x} %0d%0a 🚀";

/** Holds a notifier to the port. `create` makes it anew for each test, and removes it when that is over. */
export function notifierContract(name: string, create: () => Promise<Told>, kind: Kind): void {
  describe(`${name}, as a notifier`, () => {
    portRules(create);
    troubleRules(create, kind);
    textRules(create, kind);
    secretRules(create);
  });
}

function portRules(create: () => Promise<Told>): void {
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
    const most = Array.from({ length: notifier.limits.maxEvents }, (_, n) => ({ ...FAILED, id: `event-${n}` }));
    for (const batch of [most.slice(0, 1), events.slice(0, notifier.limits.maxEvents), most]) {
      const outcomes = await notifier.notify({ events: batch, state }, { signal: NEVER });
      expect(outcomes.map(({ status }) => status)).toEqual(batch.map(() => "delivered"));
    }
    await notifier.close();
  });

  it("is well when a check looks, and is not when nobody can be reached", async () => {
    const { notifier, behave } = await create();
    await notifier.check({ signal: NEVER });
    behave("cuts");
    await expect(notifier.check({ signal: NEVER })).rejects.toMatchObject({ code: "NOTIFIER_UNUSABLE" });
    await notifier.close();
  });

  it("may be closed twice, and used afterwards gives outcomes or rejects", async () => {
    const { notifier } = await create();
    await settled(notifier);
    await notifier.close();
    await notifier.close();
    expect((await settled(notifier)).outcomes).toHaveLength(1);
    await notifier.close();
  });
}

function troubleRules(create: () => Promise<Told>, { denied, canBeAskedToWait }: Kind): void {
  it.each(["hangs", "drips"] as const)("ends when its signal says so: the other side %s", async (behaviour) => {
    const { notifier, behave } = await create();
    behave(behaviour);
    const ending = new AbortController();
    const told = settled(notifier, { signal: ending.signal });
    setTimeout(() => ending.abort(new Error("the time is up")), 50);
    const begun = performance.now();
    expect((await told).outcomes.map(({ status }) => status)).toEqual(["retry"]);
    const aborted = await settled(notifier, { signal: AbortSignal.abort() });
    expect(aborted.outcomes.map(({ status }) => status)).toEqual(["retry"]);
    expect(performance.now() - begun).toBeLessThan(3_000);
    await notifier.close();
  });

  it.each(["fails", "cuts", "waits"] as const)(
    "says of another side that %s that another try is worth it, and goes on when it is well again",
    async (behaviour) => {
      const { notifier, behave, pass } = await create();
      behave(behaviour);
      const [outcome] = (await settled(notifier)).outcomes;
      expect(outcome).toMatchObject({ status: "retry", code: aText, message: aText });
      const asked = outcome?.status === "retry" ? outcome.retryAfterMs : undefined;
      expect(asked).toBe(behaviour === "waits" && canBeAskedToWait ? 30_000 : undefined);
      behave("takes");
      pass?.(30_001);
      expect((await settled(notifier)).outcomes[0]?.status).toBe("delivered");
      await notifier.close();
    },
  );

  it.each(["refuses", "denies"] as const)(
    "tells what is refused for good from what waits for somebody, with a reason: the other side %s",
    async (behaviour) => {
      const { notifier, behave } = await create();
      behave(behaviour);
      const status = behaviour === "refuses" ? "refused" : denied;
      expect((await settled(notifier)).outcomes).toMatchObject([{ status, code: aText, message: aText }]);
      behave("takes");
      expect((await settled(notifier)).outcomes[0]?.status).toBe("delivered");
      await notifier.close();
    },
  );
}

function textRules(create: () => Promise<Told>, { dangerous, hasNoIdentity }: Kind): void {
  it("passes hostile text on as text, whatever it would mean there", async () => {
    const { notifier, received } = await create();
    const hostile = { ...FAILED, errorMessage: HOSTILE, message: HOSTILE } as ProgressEvent;
    const names = { ...state, clusterName: HOSTILE, planId: HOSTILE, currentPhase: HOSTILE };
    const outcomes = await notifier.notify({ events: [hostile], state: names }, { signal: NEVER });
    expect(outcomes).toMatchObject([{ status: "delivered" }]);
    expect(received()).toHaveLength(1);
    expect(received()[0]).not.toMatch(dangerous);
    expect((await settled(notifier)).outcomes).toMatchObject([{ status: "delivered" }]);
    await notifier.close();
  });

  it("takes one event that is larger than all its limits, or refuses it, and goes on", async () => {
    const { notifier } = await create();
    const details = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`k${n}`, "ü".repeat(1_000)]));
    const large = { ...FAILED, details, errorMessage: "x".repeat(100_000) } as ProgressEvent;
    const [outcome] = await notifier.notify({ events: [large], state }, { signal: NEVER });
    expect(outcome?.status).toMatch(/^(delivered|refused)$/);
    expect((await settled(notifier)).outcomes).toMatchObject([{ status: "delivered" }]);
    await notifier.close();
  });

  const title = "gives an event the same identity at each try, also from the next process";
  if (hasNoIdentity !== undefined) it.skip(`${title} (${hasNoIdentity})`, () => undefined);
  else
    it(title, async () => {
      const { notifier, again, behave, identities = () => [] } = await create();
      behave("fails");
      await settled(notifier);
      behave("takes");
      await settled(notifier);
      const next = again();
      await settled(next);
      await settled(next, { event: { ...FAILED, id: "another" } });
      const seen = identities();
      expect(seen.length).toBeGreaterThanOrEqual(4);
      expect(new Set(seen.slice(0, -1)).size).toBe(1);
      expect(seen.at(-1)).not.toBe(seen[0]);
      await Promise.all([notifier.close(), next.close()]);
    });
}

function secretRules(create: () => Promise<Told>): void {
  it("tells no secret, whatever the other side does or repeats (X21)", async () => {
    const { notifier, behave, secrets, logged = [], pass } = await create();
    const texts = [inspect(notifier, { depth: 9, showHidden: true }), JSON.stringify(notifier)];
    for (const behaviour of ["takes", "fails", "refuses", "waits", "denies", "echoes", "cuts"] as const) {
      behave(behaviour);
      texts.push((await settled(notifier)).text);
      pass?.(60_000);
      texts.push(await notifier.check({ signal: NEVER }).then(() => "", shownWhole));
      pass?.(60_000);
    }
    const all = [...texts, ...logged].join("\n");
    for (const secret of secrets) {
      const forms = [
        secret,
        encodeURIComponent(secret),
        Buffer.from(secret).toString("base64"),
        secret.replaceAll("/", "\\/"),
      ];
      for (const form of forms) expect(all).not.toContain(form);
    }
    await notifier.close();
  });
}

const aText = expect.stringMatching(/./) as string;

const shownWhole = (error: unknown): string =>
  `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`;

/** Tells of one event; a rejection counts as the delivery counts it. */
async function settled(
  notifier: Notifier,
  { signal = NEVER, event = FAILED }: { readonly signal?: AbortSignal; readonly event?: ProgressEvent } = {},
): Promise<{ readonly outcomes: readonly Outcome[]; readonly text: string }> {
  try {
    const outcomes = await notifier.notify({ events: [event], state }, { signal });
    return { outcomes, text: JSON.stringify(outcomes) };
  } catch (error) {
    return {
      outcomes: [{ status: "retry", code: "REJECTED", message: (error as Error).message }],
      text: shownWhole(error),
    };
  }
}
