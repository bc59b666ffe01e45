/** One upgrade on the terminal: the whole as it fits best, and a tree to look through as soon as somebody does. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { Connection } from "../../stream/client.ts";
import { clockText, durationText } from "../../view/text/duration.ts";
import { STATUS_WORDS } from "../../view/text/status-words.ts";
import { taskDetails } from "../../view/task/task-details.ts";
import { momentAt, type HeadView } from "../../view/upgrade/upgrade-view.ts";
import { browseLine, detailLines, moreLines } from "../render/browse-lines.ts";
import { COMFORTABLE, frameLines } from "../render/frame.ts";
import { helpLines } from "../render/help-lines.ts";
import { cutLine, span, type Line, type Pen } from "../render/pen.ts";
import { ConnectionState } from "./connection-state.ts";
import { footLine, typingLine } from "./foot-line.ts";
import type { Key } from "./keys.ts";
import type { Scene } from "./scene.ts";
import { TreeBrowser } from "./tree-browser.ts";

export interface UpgradeSceneOptions {
  /** The wall time for which things are shown, epoch ms. */
  readonly now: () => number;
  /** How to leave; shown last, in quiet. */
  readonly hint: string;
  readonly banner?: string | undefined;
  /** True if there is something to go back to. */
  readonly canGoBack?: boolean | undefined;
  /** False where no key can be read. */
  readonly hasKeys?: boolean | undefined;
}

/** Lines for what is known of the selected task, where the window has room for them. */
const PANE_LINES = 4;

export class UpgradeScene implements Scene {
  hasWriter: boolean | undefined;
  readonly connection: ConnectionState;
  readonly #options: UpgradeSceneOptions;
  readonly #browser = new TreeBrowser();
  #state: UpgradeProgress | undefined;
  #isHelping = false;
  #isOver = false;

  constructor(options: UpgradeSceneOptions) {
    this.#options = options;
    this.connection = new ConnectionState(options.now);
  }

  show(state: UpgradeProgress | undefined, connection?: Connection): void {
    if (state !== undefined) this.#state = state;
    if (connection !== undefined) this.connection.take(connection);
  }

  /** From now on it is shown as it stays behind: the whole, without keys. */
  end(): void {
    this.#isOver = true;
  }

  lines(by: Pen, maxLines: number): readonly Line[] {
    const state = this.#state;
    const { now, banner } = this.#options;
    if (state === undefined) return [this.#footLine(undefined, by).line];
    return frameLines(state, by, {
      asOfMs: now(),
      hasWriter: this.hasWriter,
      maxLines,
      banner,
      foot: (head) => this.#footLine(head, by),
      body: this.#body(state, by, maxLines),
    });
  }

  key(key: Key): "taken" | "quit" | "back" {
    const isTyping = this.#browser.isTyping;
    if (this.#isHelping) this.#isHelping = false;
    else if (!isTyping && key.name === "char" && key.char === "?") this.#isHelping = true;
    else if (!isTyping && key.name === "char" && key.char === "q") return "quit";
    else if (this.#goesBack(key)) return "back";
    else if (this.#state !== undefined) this.#browser.key(key, this.#state);
    return "taken";
  }

  #goesBack(key: Key): boolean {
    if (this.#options.canGoBack !== true || this.#browser.isActive) return false;
    return key.name === "escape" || key.name === "left" || (key.name === "char" && key.char === "h");
  }

  #body(state: UpgradeProgress, by: Pen, maxLines: number): ((room: number) => readonly Line[]) | undefined {
    if (this.#isOver) return undefined;
    if (this.#isHelping) return () => helpLines("tree", by);
    if (!this.#browser.isActive) return undefined;
    return (room) => this.#treeLines(state, by, { room, isTight: maxLines < COMFORTABLE });
  }

  #treeLines(
    state: UpgradeProgress,
    by: Pen,
    { room, isTight }: { readonly room: number; readonly isTight: boolean },
  ): readonly Line[] {
    const now = momentAt(state, this.#options.now());
    const pane = isTight ? 0 : PANE_LINES + 1;
    const treeLines = Math.max(1, room - pane - (this.#browser.isFiltering ? 1 : 0));
    const { rows, top, selected, above, below, taskId } = this.#browser.view(state, treeLines);
    const details = pane === 0 || taskId === undefined ? undefined : taskDetails(state, taskId, now);
    const known = details === undefined ? [] : detailLines(details, by, PANE_LINES);
    return [
      ...this.#filterLines(state, by),
      ...rows.map((row, index) => browseLine(row, now, by, top + index === selected)),
      ...moreLines({ above, below }, by),
      ...(known.length === 0 ? [] : [[], ...known]),
      // The pane keeps its height, so that moving through the rows moves nothing else.
      ...Array.from({ length: Math.max(0, pane - known.length - (known.length > 0 ? 1 : 0)) }, () => []),
    ];
  }

  #filterLines(state: UpgradeProgress, by: Pen): readonly Line[] {
    const { filter, isFiltering } = this.#browser;
    if (!isFiltering) return [];
    const [status] = filter.statuses;
    const what = [
      ...(status === undefined ? [] : [STATUS_WORDS[status].word]),
      ...(filter.text.trim() === "" ? [] : [`“${filter.text.trim()}”`]),
    ].join(" with ");
    const count = this.#browser.matches(state);
    return [
      cutLine(
        [
          span(by, `  only ${what}: `, "attention"),
          span(by, `${count} of ${state.tasks.size} tasks`),
          span(by, " · esc shows all", "quiet"),
        ],
        by.width,
        by,
      ),
    ];
  }

  #footLine(head: HeadView | undefined, by: Pen): { readonly line: Line; readonly isUrgent?: boolean } {
    const { isTyping, filter, isActive } = this.#browser;
    if (isTyping && !this.#isOver) return { line: typingLine(filter.text, by), isUrgent: true };
    const facts = [
      ...(head?.startedAt == null ? [] : [`started ${clockText(head.startedAt)}`]),
      ...(head === undefined || head.hasEnded ? [] : [`last event ${durationText(head.silentMs)} ago`]),
    ];
    const connection = this.connection.view();
    // What is left behind is the truth of its moment; that it was told live is of no more use.
    const isOfUse = !this.#isOver || connection?.isCurrent !== true;
    return footLine({ connection: isOfUse ? connection : undefined, facts, hints: this.#hints(head, isActive) }, by);
  }

  #hints(head: HeadView | undefined, isActive: boolean): readonly string[] {
    const { canGoBack = false, hasKeys = true, hint } = this.#options;
    if (this.#isOver || (head?.hasEnded === true && !canGoBack)) return [];
    if (!hasKeys) return ["Ctrl-C leaves"];
    return isActive || canGoBack ? ["esc back", "? keys", "q leaves"] : ["? keys", hint];
  }
}
