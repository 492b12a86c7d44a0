import type { PartDifference, PhaseReuse, ShardReuse } from "@fanfold/engine";
import { plainText } from "./plain-text.ts";
import { createPalette, renderLine, type TextStyle } from "./text-style.ts";

/** Files, fields or variables of a part that are named. */
const MAX_DETAILS = 5;

/** What came of reuse in a phase: the phase, then each shard that was asked for or not reused, one a line. */
export function renderReuse(reuse: PhaseReuse, style: TextStyle = {}): string {
  const palette = createPalette(style.color ?? false);
  const line = (subject: string, text: string): string =>
    renderLine([{ text: plainText(subject), paint: palette.strong }, { text: `: ${plainText(text)}` }]);
  return [
    line(reuse.phase, reuse.why),
    ...reuse.shards.map((shard) => line(`${reuse.phase}[${shard.shard}]`, shardText(shard))),
  ].join("\n");
}

function shardText({ why, differs }: ShardReuse): string {
  if (differs.length === 0) return why;
  return `${why} in ${differs.map(differenceText).join("; ")}`;
}

function differenceText({ part, details }: PartDifference): string {
  if (details.length === 0) return part;
  const more = details.length - MAX_DETAILS;
  return `${part} (${details.slice(0, MAX_DETAILS).join(", ")}${more > 0 ? ` and ${more} more` : ""})`;
}
