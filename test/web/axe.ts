/** What a screen reader, a keyboard and weak eyes would stumble over, as axe-core finds it. */

import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Fails with every rule of WCAG 2.2 A and AA and every best practice that the page breaks, as it is now. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(`globalThis.axe ?? (() => { ${axe.source} })()`);
  const { violations } = await page.evaluate<axe.AxeResults>(
    "axe.run(document, { resultTypes: ['violations'], preload: false })",
  );
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
  expect(found).toEqual([]);
}
