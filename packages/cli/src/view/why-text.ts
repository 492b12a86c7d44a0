import type { Why } from "@fanfold/core";
import { plainText } from "./plain-text.ts";
import { createPalette, renderLine, type TextStyle } from "./text-style.ts";

/** Reasons, one a line, each after what it is about. */
export function renderWhy(reasons: readonly Why[], style: TextStyle = {}): string {
  const palette = createPalette(style.color ?? false);
  if (reasons.length === 0) return "nothing waits";
  return reasons
    .map((reason) =>
      renderLine([{ text: subject(reason), paint: palette.strong }, { text: `: ${plainText(reason.why)}` }]),
    )
    .join("\n");
}

function subject({ phase, shards }: Why): string {
  if (shards === null) return phase;
  const { count, first } = shards;
  if (count === 1) return `${phase}[${first[0]}]`;
  return `${phase}[${first.join(",")}${count > first.length ? ",…" : ""}] (${count} shards)`;
}
