/** Exit statuses that no error has. Those of errors stand in the table of `errors.ts`; all are listed in `docs/cli.md`. */

/** The upgrade ended otherwise than was waited for. */
export const ENDED_OTHERWISE = 7;

/** A process that its user ended by a signal: 128 and the number of the signal. */
export const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
