/** Parts that are loaded when they are first shown: nobody waits for the code of a page that they do not look at. */

import { signal } from "@preact/signals";
import type { ComponentChild, FunctionComponent } from "preact";

type Loading<Props> = { readonly part: FunctionComponent<Props> } | { readonly error: unknown } | undefined;

export interface LazyPart<Props> {
  (props: Props): ComponentChild;
  /** Loads it now, so that it is there when it is shown. */
  preload(): void;
}

/** @param load - imports the module and gives its component. */
export function lazy<Props extends object>(load: () => Promise<FunctionComponent<Props>>): LazyPart<Props> {
  const loading = signal<Loading<Props>>(undefined);
  let isAsked = false;
  const preload = (): void => {
    if (isAsked) return;
    isAsked = true;
    load().then(
      (part) => (loading.value = { part }),
      (error: unknown) => (loading.value = { error }),
    );
  };
  const Lazy = (props: Props): ComponentChild => {
    const { value } = loading;
    if (value === undefined) {
      preload();
      return null;
    }
    if ("error" in value) return <NotLoaded />;
    const { part: Part } = value;
    return <Part {...props} />;
  };
  return Object.assign(Lazy, { preload });
}

/** The server is gone, or has another version of the dashboard now. */
function NotLoaded(): ComponentChild {
  return (
    <div class="message" role="alert">
      <h2>This part could not be loaded</h2>
      <p class="soft">The server does not answer, or it was brought up to date since this page was opened.</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        Load the page again
      </button>
    </div>
  );
}
