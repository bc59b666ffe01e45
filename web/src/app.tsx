/** The page that the address names, with what all pages have round it. */

import type { ComponentChild } from "preact";

import { Announcer } from "./announcer.tsx";
import { ComparePage } from "./compare/compare-page.tsx";
import { FleetPage } from "./fleet/fleet-page.tsx";
import { NotFound } from "./not-found.tsx";
import { route } from "./router.ts";
import { generation } from "./session.ts";
import { UpgradePage } from "./upgrade/upgrade-page.tsx";

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
