/** The page that the address names, with what all pages have round it. */

import type { ComponentChild } from "preact";

import { Announcer } from "./announcer.tsx";
import { lazy } from "./lazy.tsx";
import { NotFound } from "./not-found.tsx";
import { route } from "./router.ts";
import { generation } from "./session.ts";

const FleetPage = lazy(async () => (await import("./fleet/fleet-page.tsx")).FleetPage);
const UpgradePage = lazy(async () => (await import("./upgrade/upgrade-page.tsx")).UpgradePage);
const ComparePage = lazy(async () => (await import("./compare/compare-page.tsx")).ComparePage);

/** While nothing else is to be done: who clicks on an upgrade just then need not wait, nor need the server be there. */
const AHEAD_MS = 1_000;
setTimeout(() => UpgradePage.preload(), AHEAD_MS);

export function App(): ComponentChild {
  return (
    <>
      {/* Who has signed in begins anew. */}
      <Page key={generation.value} />
      <Announcer />
    </>
  );
}

function Page(): ComponentChild {
  const { value } = route;
  switch (value.page) {
    case "fleet":
      return <FleetPage />;
    case "upgrade":
      return <UpgradePage key={value.upgradeId} upgradeId={value.upgradeId} />;
    case "compare":
      return <ComparePage a={value.a} b={value.b} />;
    case "not_found":
      return <NotFound path={value.path} />;
  }
}
