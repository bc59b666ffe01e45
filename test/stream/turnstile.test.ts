import { expect, test } from "vitest";

import { Turnstile } from "../../src/stream/turnstile.ts";

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("so many pass in a turn of the event loop, the others in the turns after it, in their order", async () => {
  const turnstile = new Turnstile(3);
  const passed: number[] = [];
  const come = (from: number, to: number): void => {
    for (let n = from; n <= to; n++) void turnstile.pass().then(() => passed.push(n));
  };
  const counts: number[] = [];
  come(1, 10);
  for (let n = 0; n < 4; n++) {
    await Promise.resolve();
    counts.push(passed.length);
    // Who comes later waits behind those who wait.
    if (n === 1) come(11, 12);
    await turn();
  }
  expect(counts).toEqual([3, 6, 9, 12]);
  expect(passed).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test("it is free again in the turn after the last has passed", async () => {
  const turnstile = new Turnstile(1);
  for (let n = 0; n < 3; n++) {
    let hasPassed = false;
    void turnstile.pass().then(() => (hasPassed = true));
    await Promise.resolve();
    expect(hasPassed).toBe(true);
    await turn();
  }
});
