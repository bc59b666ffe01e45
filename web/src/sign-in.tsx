/** Says who one is, to a server that wants to know. */

import type { ComponentChild } from "preact";
import { useId, useState } from "preact/hooks";

import { isMilepostError } from "../../src/errors.ts";
import { linkTrouble, signIn } from "./session.ts";

export function SignIn({ isExpired }: { readonly isExpired: boolean }): ComponentChild {
  return (
    <div class="message">
      <h1>{isExpired ? "Your session has ended" : "Sign in"}</h1>
      {linkTrouble.value !== undefined && <p role="alert">{linkTrouble.value}</p>}
      <p class="soft">
        This server shows upgrades to those it knows. Paste the token that you were given; it is exchanged for a cookie
        and not kept by this page.
      </p>
      <SignInForm />
    </div>
  );
}

/** Once it is done the page begins anew, as who has signed in. */
function SignInForm(): ComponentChild {
  const id = useId();
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get("token");
    setBusy(true);
    setTrouble(undefined);
    try {
      await signIn(typeof token === "string" ? token.trim() : "");
    } catch (error) {
      setTrouble(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="sign-in" onSubmit={(event) => void submit(event)}>
      <label for={id}>Token</label>
      <input
        id={id}
        name="token"
        class="field"
        type="password"
        autocomplete="current-password"
        required
        aria-invalid={trouble === undefined ? undefined : "true"}
        aria-describedby={trouble === undefined ? undefined : `${id}-trouble`}
      />
      {trouble !== undefined && (
        <p id={`${id}-trouble`} class="mark tone-bad sign-in-trouble" role="alert">
          {trouble}
        </p>
      )}
      <button type="submit" class="button button-primary" disabled={isBusy}>
        Sign in
      </button>
    </form>
  );
}

function wordsOf(error: unknown): string {
  if (isMilepostError(error, "UNAUTHENTICATED")) return "The server does not know this token.";
  if (isMilepostError(error, "TOKEN_EXPIRED")) return "This token has expired: ask for a new one.";
  if (isMilepostError(error, "RATE_LIMITED")) return "Too many attempts: wait a minute, then try again.";
  if (isMilepostError(error)) return error.message;
  return "The server does not answer: try again in a moment.";
}
