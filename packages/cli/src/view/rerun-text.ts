import type { RerunPreview } from "@fanfold/engine";
import { plainText } from "./plain-text.ts";
import { createPalette, type TextStyle } from "./text-style.ts";

/** Kept phases that are named one by one. */
const MAX_KEPT = 20;

/** What a rerun runs, and why; what it uses as it is; and what keeps it from being done. */
export function renderRerun({ steps, kept, problems, diff }: RerunPreview, { color = false }: TextStyle = {}): string {
  const palette = createPalette(color);
  const width = Math.max(0, ...steps.map(({ phase }) => phase.length), ...kept.map(({ phase }) => phase.length));
  if (problems.length > 0)
    return problems.map(({ message }) => palette.status("failed")(plainText(message))).join("\n");
  const lines: string[] = [];
  for (const { phase, kind, why } of steps) {
    const what = kind === "run" ? "runs    " : "may run ";
    const doubt = kind === "run" ? "" : "; reused if its inputs are the same";
    lines.push(`${palette.status("running")(what)} ${phase.padEnd(width)}  ${plainText(why)}${doubt}`);
  }
  for (const { phase, revision, isStale } of kept.slice(0, MAX_KEPT)) {
    lines.push(palette.faint(`kept     ${phase.padEnd(width)}  revision ${revision}${isStale ? ", stale" : ""}`));
  }
  if (kept.length > MAX_KEPT) lines.push(palette.faint(`kept     and ${kept.length - MAX_KEPT} more`));
  for (const [phase, what] of diff?.rescheduled ?? []) {
    lines.push(palette.faint(`changed  ${phase.padEnd(width)}  ${plainText(what)}: without effect on its output`));
  }
  for (const phase of diff?.removed ?? []) lines.push(`gone     ${phase.padEnd(width)}  the plan no longer has it`);
  return lines.length === 0 ? "nothing to do" : lines.join("\n");
}
