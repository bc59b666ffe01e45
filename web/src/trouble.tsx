/** What is shown instead of a page that cannot be: what happened, and what to do. */

import type { ComponentChild } from "preact";

import type { ErrorCode } from "../../src/errors.ts";
import { SignIn } from "./sign-in.tsx";
import { linkTrouble } from "./session.ts";

export interface TroubleProps {
  readonly code: ErrorCode;
  /** What the server said. */
  readonly reason: string | null;
}

interface Words {
  readonly title: string;
  readonly text: string;
}

const WORDS: Readonly<Partial<Record<ErrorCode, Words>>> = {
  FORBIDDEN: {
    title: "You may not see this",
    text: "Who you are signed in as may not watch what this page shows. Sign in as somebody else, or ask for a link to it.",
  },
  NEWER_FORMAT: {
    title: "This was written by a newer Milepost",
    text: "Bring this server up to date, then load the page again.",
  },
  CORRUPT: {
    title: "The log of this upgrade is damaged",
    text: "Nothing is shown rather than something wrong. `milepost verify` says where, `milepost salvage` saves what can be.",
  },
};

const OTHER: Words = { title: "This page cannot be shown", text: "The server ended the connection for good." };

export function Trouble({ code, reason }: TroubleProps): ComponentChild {
  if (code === "UNAUTHENTICATED" || code === "TOKEN_EXPIRED") return <SignIn isExpired={code === "TOKEN_EXPIRED"} />;
  const { title, text } = WORDS[code] ?? OTHER;
  return (
    <div class="message" role="alert">
      <h1>{title}</h1>
      {linkTrouble.value !== undefined && <p>{linkTrouble.value}</p>}
      <p class="soft">{text}</p>
      {reason !== null && (
        <p class="faint">
          {reason} <code>{code}</code>
        </p>
      )}
      <p>
        <a class="button" href="/">
          All upgrades
        </a>
      </p>
      {code === "FORBIDDEN" && <SignIn isExpired={false} />}
    </div>
  );
}
