import { type EventData, readNumber, readText } from "./event-data.ts";

/** The input whose new revision made a phase out of date, such as `context r2 → r3`; undefined when the data does not say. */
export function newerInput(data: EventData | undefined): string | undefined {
  const phase = readText(data, "cause_phase");
  if (phase === undefined) return undefined;
  return `${phase} r${readNumber(data, "used_revision") ?? "?"} → r${readNumber(data, "latest_revision") ?? "?"}`;
}
