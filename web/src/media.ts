/** Whether a media query holds, as it changes. */

import { useEffect, useState } from "preact/hooks";

import { listen } from "./listen.ts";

export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const look = (): void => setHolds(list.matches);
    look();
    return listen(list, { change: look });
  }, [query]);
  return holds;
}
