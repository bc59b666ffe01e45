/** Makes a link that lets anybody who has it watch this upgrade, and nothing else, until it expires. */

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";

import { dateText } from "../../../src/view/text/duration.ts";
import { fetchApi, jsonPost, refusal, upgradePath } from "../access.ts";
import { announce } from "../announcer.tsx";
import { Choice } from "../parts/choice.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { upgradeHref } from "../router.ts";
import { settings } from "../settings.ts";

const HOUR_MS = 3_600_000;
const LIFETIMES = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS } as const;
type Lifetime = keyof typeof LIFETIMES;

interface Link {
  readonly address: string;
  readonly expiresAt: string;
}

export function ShareDialog({
  upgradeId,
  onClose,
}: {
  readonly upgradeId: string;
  readonly onClose: () => void;
}): ComponentChild {
  const [lifetime, setLifetime] = useState<Lifetime>("day");
  const [link, setLink] = useState<Link>();
  const [trouble, setTrouble] = useState<string>();
  const create = async (): Promise<void> => {
    setTrouble(undefined);
    try {
      setLink(await createLink(upgradeId, LIFETIMES[lifetime]));
      announce("the link is made");
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog title="Share this upgrade" onClose={onClose}>
      <p>
        Whoever has the link can watch this upgrade until it expires. They can change nothing and see no other upgrade.
      </p>
      <Choice
        label="It expires after"
        options={{ hour: "An hour", day: "A day", week: "A week" }}
        value={lifetime}
        onChange={(value) => {
          setLifetime(value);
          setLink(undefined);
        }}
      />
      {link === undefined ? (
        <button type="button" class="button button-primary" onClick={() => void create()}>
          Make a link
        </button>
      ) : (
        <div>
          <div class="code">
            <pre tabIndex={0} aria-label="The link">
              {link.address}
            </pre>
            <CopyButton text={link.address} what="the link" />
          </div>
          <p class="soft">It expires {dateText(link.expiresAt, settings.zone.value)}.</p>
        </div>
      )}
      {trouble !== undefined && (
        <p class="notice tone-bad" role="alert">
          No link was made: {trouble}
        </p>
      )}
    </Dialog>
  );
}

/** @throws an Error that says why there is none. */
async function createLink(upgradeId: string, lifetimeMs: number): Promise<Link> {
  const answer = await fetchApi(upgradePath(upgradeId, "share"), jsonPost({ lifetimeMs }));
  const body = (await answer.json()) as { token?: string; expiresAt?: string; detail?: string };
  if (!answer.ok || body.token === undefined || body.expiresAt === undefined)
    throw new Error(refusal(answer, body.detail));
  return { address: `${location.origin}${upgradeHref(upgradeId)}#share=${body.token}`, expiresAt: body.expiresAt };
}
