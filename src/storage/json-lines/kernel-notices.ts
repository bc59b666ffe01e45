/** The kernel's notices of changes below a folder (inotify and its like): prompt, but limited in number, and never sure. */

import type { FSWatcher } from "node:fs";

import { nodeFs } from "../../node-modules.ts";
import { systemErrorCode } from "../files.ts";

/** `fs.watch`, as far as it is used. */
export type WatchFolder = (
  path: string,
  options: { readonly persistent: false },
  listener: (event: string, name: string | null) => void,
) => Pick<FSWatcher, "close" | "on">;

/** After the kernel has refused, it is asked again when so much time has passed. */
const ASK_AGAIN_MS = 60_000;

/** Gives watches on folders until the kernel has no more; then says so, once. */
export class KernelNotices {
  readonly #watch: WatchFolder;
  readonly #warn: (message: string) => void;
  #refusedMs: number | undefined;

  constructor({
    watch = nodeFs.watch,
    warn,
  }: { readonly watch?: WatchFolder | undefined; readonly warn?: ((message: string) => void) | undefined } = {}) {
    this.#watch = watch;
    this.#warn = warn ?? (() => undefined);
  }

  /** A watch on a folder; undefined when there is none to be had. `onNotice` gets the name in the folder, when it is known. */
  open(path: string, onNotice: (name: string | null) => void, onLost: () => void): { close(): void } | undefined {
    if (this.#refusedMs !== undefined && performance.now() - this.#refusedMs < ASK_AGAIN_MS) return undefined;
    try {
      const watcher = this.#watch(path, { persistent: false }, (_event, name) => onNotice(name));
      watcher.on("error", (error) => {
        watcher.close();
        this.#refuse(error);
        onLost();
      });
      return watcher;
    } catch (error) {
      this.#refuse(error);
      return undefined;
    }
  }

  #refuse(error: unknown): void {
    const code = systemErrorCode(error) ?? "";
    if (!EXHAUSTED.has(code)) return;
    if (this.#refusedMs === undefined) {
      this.#warn(
        `the system has no more notices of changed files to give (${code}), so changes are looked for instead, and found later; ` +
          "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances",
      );
    }
    this.#refusedMs = performance.now();
  }
}

const EXHAUSTED: ReadonlySet<string> = new Set(["ENOSPC", "EMFILE", "ENFILE", "ENOMEM"]);

/** The watch on one folder, whichever folder stands there. */
export class KernelWatch {
  readonly path: string;
  #watcher: { close(): void } | undefined;
  #identity: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  get isOpen(): boolean {
    return this.#watcher !== undefined;
  }

  /**
   * True if there is a watch now that was not there before.
   *
   * @param identity - of the folder that stands there now; undefined when there is none.
   */
  open(
    notices: KernelNotices,
    { identity, onNotice }: { readonly identity: string | undefined; readonly onNotice: (name: string | null) => void },
  ): boolean {
    if (this.#watcher !== undefined && identity === this.#identity) return false;
    this.close();
    if (identity === undefined) return false;
    this.#identity = identity;
    this.#watcher = notices.open(this.path, onNotice, () => (this.#watcher = undefined));
    return this.#watcher !== undefined;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
