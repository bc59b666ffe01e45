/** What happened to readers, counted: everything that is cut, left out or begun anew. */
export interface StreamCounters {
  /** Stretches that were told by what stands for them. */
  conflations: number;
  /** Events that were left out of such stretches. */
  eventsLeftOut: number;
  /** Readers that were given a snapshot because the history had changed below them. */
  resets: number;
  /** Connections cut because they took nothing for too long. */
  cutSlow: number;
  /** Connections cut because they did not answer. */
  cutDead: number;
  /** Connections and messages refused by a limit. */
  limited: number;
}

export function newCounters(): StreamCounters {
  return { conflations: 0, eventsLeftOut: 0, resets: 0, cutSlow: 0, cutDead: 0, limited: 0 };
}
