import { eventPlace } from "@fanfold/core";
import type { JournalLine } from "@fanfold/schemas";
import { fitToWidth } from "./plain-text.ts";
import { createPalette, renderLine, type TextStyle } from "./text-style.ts";

const SEQ_COLUMNS = 5;
const EVENT_COLUMNS = "approval_requested".length;
const PLACE_COLUMNS = 14;

/** A journal line for people: time, number, event, place and message. */
export function renderEvent(line: JournalLine, style: TextStyle = {}): string {
  const palette = createPalette(style.color ?? false);
  const place = eventPlace(line);
  return renderLine(
    [
      { text: `${line.timestamp}  ${String(line.seq).padStart(SEQ_COLUMNS)}  `, paint: palette.faint },
      { text: `${fitToWidth(line.event, EVENT_COLUMNS)}  `, paint: palette.level(line.level) },
      { text: `${place.padEnd(PLACE_COLUMNS)}  ` },
      { text: withoutPlace(line.message, place) },
    ],
    style.columns,
  );
}

/** The message without the place it starts with, which has a column of its own. */
function withoutPlace(message: string, place: string): string {
  return message.startsWith(`${place} `) ? message.slice(place.length + 1) : message;
}
