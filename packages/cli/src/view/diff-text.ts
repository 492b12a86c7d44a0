import type { JsonValue, RecordDiff } from "@fanfold/core";
import type { ArtifactDiff } from "@fanfold/engine";
import { plainText } from "./plain-text.ts";
import { createPalette, type Palette, type TextStyle } from "./text-style.ts";

/** Records of one kind of difference that are shown. */
const MAX_SHOWN = 50;
/** Longest text shown of a value. */
const MAX_VALUE_CHARS = 120;

/** How revisions of outputs differ, for people. */
export function renderRevisionDiffs(diffs: readonly ArtifactDiff[], { color = false }: TextStyle = {}): string {
  if (diffs.length === 0) return "no phase has two revisions to compare";
  const palette = createPalette(color);
  return diffs.map((diff) => renderOne(diff, palette)).join("\n\n");
}

function renderOne(diff: ArtifactDiff, palette: Palette): string {
  const { phase, from, to, name, is_same, records, patch, remark } = diff;
  const title = palette.strong(`${phase}@r${from} → ${phase}@r${to}${name === phase ? "" : ` ${name}`}`);
  if (is_same) return `${title}: the same`;
  if (records !== undefined) return [`${title}: ${countText(records)}`, ...recordLines(records, palette)].join("\n");
  if (patch !== undefined) return [title, ...patchLines(patch, palette)].join("\n");
  return `${title}: ${remark ?? "differs"}`;
}

function countText({ added, removed, changed, unchanged }: RecordDiff): string {
  return `${added.length} added, ${removed.length} removed, ${changed.length} changed, ${unchanged} the same`;
}

function recordLines({ added, removed, changed }: RecordDiff, palette: Palette): string[] {
  const green = palette.status("succeeded");
  const red = palette.status("failed");
  return [
    ...shown(changed, ({ key, before, after, fields }) => [
      `~ ${plainText(key)}`,
      ...(fields.length === 0
        ? [[before, after] as const]
        : fields.map((field) => [of(before, field), of(after, field), field] as const)
      ).flatMap(([was, is, field]) => [
        red(`    - ${field === undefined ? "" : `${field}: `}${valueText(was)}`),
        green(`    + ${field === undefined ? "" : `${field}: `}${valueText(is)}`),
      ]),
    ]),
    ...shown(removed, ({ record }) => [red(`- ${valueText(record)}`)]),
    ...shown(added, ({ record }) => [green(`+ ${valueText(record)}`)]),
  ];
}

function shown<T>(items: readonly T[], lines: (item: T) => string[]): string[] {
  const rest = items.length - MAX_SHOWN;
  return [...items.slice(0, MAX_SHOWN).flatMap(lines), ...(rest > 0 ? [`  … and ${rest} more`] : [])];
}

function of(value: JsonValue, field: string): JsonValue | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value[field] : undefined;
}

function valueText(value: JsonValue | undefined): string {
  const text = plainText(value === undefined ? "(absent)" : JSON.stringify(value));
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text;
}

/** The lines of a unified diff after its file names. */
function patchLines(patch: string, palette: Palette): string[] {
  const lines = patch.split("\n").slice(4);
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const text = plainText(line);
      if (line.startsWith("+")) return palette.status("succeeded")(text);
      return line.startsWith("-") ? palette.status("failed")(text) : text;
    });
}
