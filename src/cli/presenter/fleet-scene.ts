/** All upgrades on the terminal, as a list in which one can be opened. */

import type { Connection } from "../../stream/client.ts";
import { fleetView, type FleetRow, type FleetView } from "../../view/upgrade/fleet-view.ts";
import { safeText } from "../../view/text/safe-text.ts";
import type { UpgradeSummary } from "../../view/upgrade/summary.ts";
import { moreLines, selectable } from "../render/browse-lines.ts";
import { COMFORTABLE } from "../render/frame.ts";
import { helpLines } from "../render/help-lines.ts";
import { cutLine, span, type Line, type Pen } from "../render/pen.ts";
import { fleetTable } from "../render/fleet-table.ts";
import { ConnectionState } from "./connection-state.ts";
import { footLine, typingLine } from "./foot-line.ts";
import type { Key } from "./keys.ts";
import { typed } from "./line-input.ts";
import type { Scene } from "./scene.ts";
import { Selection } from "./selection.ts";

export interface FleetSceneOptions {
  /** Wall time, epoch ms. */
  readonly now: () => number;
  /** Where the upgrades are. */
  readonly location: string;
  readonly onOpen: (upgradeId: string) => void;
}

export class FleetScene implements Scene {
  readonly #options: FleetSceneOptions;
  readonly #connection: ConnectionState;
  readonly #selection = new Selection();
  #upgrades: ReadonlyMap<string, UpgradeSummary> | undefined;
  #filter = "";
  #isTyping = false;
  #isHelping = false;
  #isOver = false;

  constructor(options: FleetSceneOptions) {
    this.#options = options;
    this.#connection = new ConnectionState(options.now);
  }

  show(upgrades: ReadonlyMap<string, UpgradeSummary>, connection: Connection | undefined): void {
    if (connection !== undefined) this.#connection.take(connection);
    // Before a server has told them there is nothing to show; that there are none is told, too.
    if (upgrades.size > 0 || connection === undefined || connection.status === "live") this.#upgrades = upgrades;
  }

  /** From now on it is shown as it stays behind, without keys. */
  end(): void {
    this.#isOver = true;
  }

  lines(by: Pen, maxLines: number): readonly Line[] {
    const view = this.#view();
    const gap: readonly Line[] = maxLines < COMFORTABLE ? [] : [[]];
    const { line, isUrgent } = this.#footLine(by);
    const foot = gap.length === 0 && !isUrgent ? [] : [...gap, line];
    const top = [this.#headLine(view, by), ...gap];
    const room = Math.max(0, maxLines - top.length - foot.length);
    const body = this.#isHelping ? helpLines("list", by) : this.#listLines(view, room, by);
    // A window too low for all of it keeps its last line, which says what is being typed.
    return [...[...top, ...body.slice(0, room)].slice(0, Math.max(0, maxLines - foot.length)), ...foot]
      .slice(0, maxLines)
      .map((each) => cutLine(each, by.width, by));
  }

  #listLines({ rows, total }: FleetView, room: number, by: Pen): readonly Line[] {
    if (rows.length === 0) return this.#emptyLines(total, by);
    const { heading, lines } = fleetTable(rows, { asOfMs: this.#options.now() }, by);
    const headings = room < 4 ? [] : [selectable(heading, by, false)];
    const port = this.#selection.view(idsOf(rows), Math.max(1, room - headings.length));
    const inView = lines
      .slice(port.top, port.top + port.count)
      .map((line, index) => selectable(line, by, port.top + index === port.selected && !this.#isOver));
    return [...headings, ...inView, ...moreLines(port, by)];
  }

  key(key: Key): "taken" | "quit" | "back" {
    if (this.#isHelping) this.#isHelping = false;
    else if (this.#isTyping) this.#type(key);
    else if (key.name === "char" && key.char === "q") return "quit";
    else this.#act(key.name === "char" ? (CHARS[key.char] ?? "") : key.name);
    return "taken";
  }

  #type(key: Key): void {
    if (key.name === "enter" || key.name === "escape") this.#isTyping = false;
    this.#filter = key.name === "escape" ? "" : (typed(this.#filter, key) ?? this.#filter);
  }

  #act(name: string): void {
    const ids = idsOf(this.#view().rows);
    if (name === "help") this.#isHelping = true;
    else if (name === "type") this.#isTyping = true;
    else if (name === "escape") this.#filter = "";
    else if (name === "up" || name === "down") this.#selection.move(ids, { rows: name === "up" ? -1 : 1 });
    else if (name === "page-up" || name === "page-down")
      this.#selection.move(ids, { pages: name === "page-up" ? -1 : 1 });
    else if (name === "home" || name === "end") this.#selection.select(ids, name === "home" ? 0 : ids.length - 1);
    else if (name === "enter" || name === "right") {
      const id = ids[this.#selection.find(ids)];
      if (id !== undefined) this.#options.onOpen(id);
    }
  }

  #view(): FleetView {
    return fleetView(this.#upgrades?.values() ?? [], { search: this.#filter }, { asOfMs: this.#options.now() });
  }

  #headLine({ counts }: FleetView, by: Pen): Line {
    const facts = [
      ...(counts.attention > 0 ? [`${counts.attention} in trouble`] : []),
      `${counts.under_way} under way`,
      `${counts.ended} ended`,
    ].join(", ");
    return [
      span(by, "Upgrades", "strong"),
      span(by, ` of ${safeText(this.#options.location)}`),
      span(by, this.#upgrades === undefined ? "" : `  ${facts}`, "quiet"),
    ];
  }

  #emptyLines(count: number, by: Pen): readonly Line[] {
    if (this.#upgrades === undefined) return [[span(by, "  reading the upgrades", "quiet")]];
    if (count > 0) return [[span(by, `  none of ${count} holds “${this.#filter.trim()}”; esc shows all`, "quiet")]];
    return [
      [span(by, "  There are no upgrades yet. They appear here as they begin:")],
      [span(by, "  milepost run -- <command> tracks one, milepost demo rehearses one", "quiet")],
    ];
  }

  #footLine(by: Pen): { readonly line: Line; readonly isUrgent: boolean } {
    if (this.#isTyping && !this.#isOver) return { line: typingLine(this.#filter, by), isUrgent: true };
    const filter = this.#filter.trim() === "" ? [] : [`only with “${this.#filter.trim()}”, esc shows all`];
    const hints = this.#isOver ? [] : ["? keys", "enter opens", "q leaves"];
    return footLine({ connection: this.#connection.view(), facts: filter, hints }, by);
  }
}

const CHARS: Readonly<Record<string, string>> = {
  k: "up",
  j: "down",
  g: "home",
  G: "end",
  l: "enter",
  " ": "enter",
  "/": "type",
  f: "type",
  "?": "help",
};

const idsOf = (rows: readonly FleetRow[]): readonly string[] => rows.map(({ upgradeId }) => upgradeId);
