/** `text/event-stream` as HTML (9.2) has it, as far as these tests need it. */

export interface StreamEvent {
  /** Undefined when it is unnamed. */
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly data: string;
}

/** The events that are there whole; what the last one lacks is not. Comments are passed over. */
export function eventsIn(lines: readonly string[]): readonly StreamEvent[] {
  const events: StreamEvent[] = [];
  let fields: Record<string, string> = {};
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    if (line !== "") fields[name] = value;
    else {
      const { event, id, data } = fields;
      if (data !== undefined) events.push({ name: event, id, data });
      fields = {};
    }
  }
  return events;
}
