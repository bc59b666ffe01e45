/** The port of rules: what a delivery asks of every event. */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";

/** Where an event goes: nowhere, with the reason; or into the queue of its key, at once or later. */
export type Routing =
  | { readonly skip: string }
  | {
      /** Events of one key are told in their order. */
      readonly key: string;
      /** What selected it, for people: a rule's name. */
      readonly by?: string;
      /** Wall time, milliseconds since 1970, before which it is not told. */
      readonly holdUntilMs?: number;
      /** It is told again so often, as long as it holds. */
      readonly repeatMs?: number;
    };

export interface Router {
  /** True if it looks at the state. */
  readonly needsState: boolean;
  /**
   * The same for the same event, whenever it is asked.
   *
   * @param state - not older than the event, as far as it was read; undefined when it was not asked for or is not there.
   */
  route(event: ProgressEvent, state: UpgradeProgress | undefined): Routing;
  /** True if what an event with `repeatMs` says still is so. */
  holds(event: ProgressEvent, state: UpgradeProgress): boolean;
}

/** Selects everything; each task is a key of its own. */
export const everything: Router = {
  needsState: false,
  route: (event) => ({ key: keyOf(event) }),
  holds: () => false,
};

/** The key of an event: its task, or the upgrade. */
export function keyOf(event: ProgressEvent): string {
  return event.taskId ?? "";
}
