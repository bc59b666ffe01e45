/** Upgrades that are read from a Milepost server: live over its WebSocket, the rest over HTTP. */

import { MilepostError, shown, type ErrorCode } from "../../errors.ts";
import { upgradeFromJson, type UpgradeJson } from "../../model/upgrade.ts";
import { watch, watchFleet } from "../../stream/client.ts";
import { upgradeChannel } from "../../stream/protocol.ts";
import type { Clock } from "../../tracker/clock.ts";
import type { UpgradeSummary } from "../../view/upgrade/summary.ts";
import { askServer, jsonIn, noMilepost, serverBase, type ServerAddress } from "../server-requests.ts";
import { newestFirst, type Change, type FleetChange, type Listed, type ListOptions, type Source } from "./port.ts";
import { serverLines } from "./server-lines.ts";

export interface ServerSourceOptions extends ServerAddress {
  readonly clock: Clock;
}

/** How long a server that cannot be reached is tried before it is given up, as for reports. Once it has answered it never is. */
const FIRST_ANSWER_MS = 10_000;
/** Answers carry whole seconds; less than this is no difference. */
const CLOCK_GRAIN_MS = 2_000;
const PAGE = 500;

/** @throws INVALID_ARGUMENT for an address that is none. */
export function serverSource({ server, token, clock }: ServerSourceOptions): Source {
  const base = serverBase(server);
  const address = { server, token };
  let aheadMs = 0;
  const get = async (path: string): Promise<object> => {
    const answer = await askServer(address, {
      method: "GET",
      path,
      headers: { Accept: "application/json, application/problem+json" },
      timeoutMs: FIRST_ANSWER_MS,
    });
    const ahead = Date.parse(answer.headers.get("date") ?? "") - clock.now();
    aheadMs = Math.abs(ahead) >= CLOCK_GRAIN_MS ? ahead : 0;
    return jsonIn(answer);
  };
  const read = async (ref: string) => {
    const json = (await get(upgradePath(ref))) as Partial<UpgradeJson>;
    if (!Array.isArray(json.tasks)) throw notOurs(server);
    return upgradeFromJson(json as UpgradeJson);
  };
  return {
    location: base.href,
    now: () => clock.now() + aheadMs,
    list: (options = {}) => list(get, server, options),
    async read(ref) {
      const state = await read(ref);
      return { state, hasWriter: hasWriter(state), holder: null };
    },
    hasWriter: (state) => Promise.resolve(hasWriter(state)),
    async *watch(ref, { signal }): AsyncGenerator<Change, undefined> {
      // What cannot be watched is said at once, and by the time of whoever keeps it.
      await get(`${upgradePath(ref)}/summary`);
      for await (const item of watch(base, { channel: upgradeChannel(ref), token, signal })) {
        yield { ...item, ...(item.conflated !== undefined && { events: item.conflated }) };
      }
      return undefined;
    },
    async *watchAll({ signal }): AsyncGenerator<FleetChange, undefined> {
      await get("api/v1/upgrades?limit=1");
      yield* watchFleet(base, { token, signal });
      return undefined;
    },
    lines: (ref, options) => serverLines(address, ref, { ...options, firstAnswerMs: FIRST_ANSWER_MS }),
  };
}

/** A server records it when a writer is gone without a word. */
const hasWriter = ({ health }: { readonly health: { readonly state: string } | null }): boolean =>
  health?.state !== "lost";

const upgradePath = (ref: string): string => `api/v1/upgrades/${encodeURIComponent(ref)}`;

interface Page {
  readonly upgrades: readonly UpgradeSummary[];
  readonly unreadable: readonly { readonly upgradeId: string; readonly code: string }[];
  readonly nextPage: string | null;
}

async function list(
  get: (path: string) => Promise<object>,
  server: string,
  { withRuns = false, status, clusterName }: ListOptions,
): Promise<readonly Listed[]> {
  if (withRuns)
    throw new MilepostError(
      "INVALID_ARGUMENT",
      "a server does not list finished runs; name one, as in milepost show <id>@1",
    );
  const found: Listed[] = [];
  for (let page: string | null = ""; page !== null;) {
    const query = new URLSearchParams({
      limit: String(PAGE),
      ...(status !== undefined && { status }),
      ...(clusterName !== undefined && { cluster: clusterName }),
      ...(page !== "" && { page }),
    });
    const answer = (await get(`api/v1/upgrades?${query.toString()}`)) as Partial<Page>;
    if (!Array.isArray(answer.upgrades)) throw notOurs(server);
    const { upgrades, unreadable = [], nextPage = null } = answer as Page;
    for (const summary of upgrades) found.push({ ref: summary.upgradeId, summary, holder: null });
    for (const { upgradeId, code } of unreadable)
      found.push({ ref: upgradeId, upgradeId, error: unreadableError(upgradeId, code) });
    page = nextPage;
  }
  return found.sort(newestFirst);
}

function unreadableError(upgradeId: string, code: string): MilepostError {
  return new MilepostError(code as ErrorCode, `the server cannot read ${shown(upgradeId)} (${code}); see its log`);
}

function notOurs(server: string): MilepostError {
  return noMilepost(new Response(null, { status: 200 }), server);
}
