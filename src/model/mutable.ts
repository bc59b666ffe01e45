/** A record while it is being built, before it is given out read-only. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
