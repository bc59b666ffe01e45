/** One upgrade of a fleet: followed until it has ended or is known to be lost, and kept as it is from then on. */

import type { UpgradeProgress } from "../../model/upgrade.ts";
import { isFinalUpgradeStatus } from "../../model/vocabulary.ts";
import { logTimeAt } from "../../view/upgrade/log-time.ts";
import { summaryAt, type UpgradeSummary } from "../../view/upgrade/summary.ts";
import { healthView, type HealthView } from "../../view/upgrade/upgrade-view.ts";
import type { LiveLog } from "../live-log.ts";

/** Where a member's numbers come from. */
type Source =
  | { readonly kind: "live"; readonly log: LiveLog; readonly stop: () => void }
  | { readonly kind: "lost"; readonly state: UpgradeProgress }
  | { readonly kind: "ended"; readonly summary: UpgradeSummary; readonly newestMs: number };

export class Member {
  readonly upgradeId: string;
  #source: Source;
  /** What its health was, and where its log stood, when it was last looked at. */
  #lookedHealth = "";
  #lookedCursor: string | undefined;

  /** An upgrade that is followed. `onChange` is called when its log has grown. */
  static live(log: LiveLog, onChange: (member: Member) => void): Member {
    const member: Member = new Member(log.ref, { kind: "live", log, stop: log.onChange(() => onChange(member)) });
    return member;
  }

  /** An upgrade that need not be followed, because nobody writes it any more ({@link isOver}). */
  static over(state: UpgradeProgress, asOfMs: number): Member {
    return new Member(state.upgradeId, overSource(state, asOfMs));
  }

  constructor(upgradeId: string, source: Source) {
    this.upgradeId = upgradeId;
    this.#source = source;
  }

  get isLive(): boolean {
    return this.#source.kind === "live";
  }

  /** True if its log was deleted while it was followed. */
  get isGone(): boolean {
    return this.#source.kind === "live" && this.#source.log.trouble?.code === "UNKNOWN_UPGRADE";
  }

  get cursor(): string {
    return this.#facts.cursor;
  }

  /** By which members are sorted: when it began, else when it was last heard of (epoch ms). */
  get newestMs(): number {
    return this.#source.kind === "ended" ? this.#source.newestMs : newestMs(stateOf(this.#source));
  }

  /** What a filter looks at. */
  get #facts(): Pick<UpgradeSummary, "status" | "clusterName" | "cursor"> {
    return this.#source.kind === "ended" ? this.#source.summary : stateOf(this.#source);
  }

  isLike({ status, clusterName }: FleetFilter): boolean {
    const facts = this.#facts;
    return (
      (status === undefined || facts.status === status) &&
      (clusterName === undefined || facts.clusterName === clusterName)
    );
  }

  /** The summary at a wall time (epoch ms). */
  summary(asOfMs: number): UpgradeSummary {
    const source = this.#source;
    return source.kind === "ended"
      ? // Time changes nothing about what has ended.
        { ...source.summary, asOf: new Date(asOfMs).toISOString() }
      : summaryAt(stateOf(source), { asOfMs, hasWriter: source.kind === "live" && source.log.hasWriter });
  }

  /** True if its health at a wall time (epoch ms) is another one than at the last look; what this finds is remembered. */
  isNewHealth(asOfMs: number): boolean {
    const text = JSON.stringify(this.#health(asOfMs));
    const isNew = text !== this.#lookedHealth;
    this.#lookedHealth = text;
    return isNew;
  }

  /** True if nobody works on it any more, though it has not ended. */
  isLost(asOfMs: number): boolean {
    return this.#health(asOfMs)?.state === "lost";
  }

  /** Asked for often, and of an upgrade of any size: not the whole summary. */
  #health(asOfMs: number): HealthView | null {
    const source = this.#source;
    if (source.kind === "ended") return source.summary.health;
    const state = stateOf(source);
    return healthView(state, logTimeAt(state, asOfMs), source.kind === "live" && source.log.hasWriter);
  }

  /** Lets the log go when the upgrade is over, its writer is gone, and nothing has come since it was last looked at. */
  settle(asOfMs: number): void {
    if (this.#source.kind !== "live") return;
    const { log } = this.#source;
    const isQuiet = log.cursor === this.#lookedCursor;
    this.#lookedCursor = log.cursor;
    if (!isQuiet || log.hasWriter || !isOver(log.state)) return;
    this.close();
    this.#source = overSource(log.state, asOfMs);
  }

  /** Gives the log back. */
  close(): void {
    if (this.#source.kind !== "live") return;
    this.#source.stop();
    this.#source.log.release();
  }
}

/** Which upgrades are meant: those of a status, of a cluster, of both; all without either. */
export interface FleetFilter {
  readonly status?: string | undefined;
  readonly clusterName?: string | undefined;
}

/** True if an upgrade has ended, or is recorded as lost: as long as nobody writes it, time changes nothing about its health. */
export function isOver({ status, health }: UpgradeProgress): boolean {
  return isFinalUpgradeStatus(status) || health?.state === "lost";
}

function stateOf(source: Exclude<Source, { readonly kind: "ended" }>): UpgradeProgress {
  return source.kind === "live" ? source.log.state : source.state;
}

/** The state of what has ended is not kept. */
function overSource(state: UpgradeProgress, asOfMs: number): Source {
  if (!isFinalUpgradeStatus(state.status)) return { kind: "lost", state };
  return { kind: "ended", summary: summaryAt(state, { asOfMs, hasWriter: false }), newestMs: newestMs(state) };
}

function newestMs({ startedAt, clock }: UpgradeProgress): number {
  const time = startedAt ?? clock.lastTime;
  return time === null ? 0 : Date.parse(time);
}
