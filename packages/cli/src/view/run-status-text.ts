import { formatCount, listFailures, type RunView, summariseRun } from "@fanfold/core";
import { nextCommands } from "./next-commands.ts";
import { runTree } from "./run-tree.ts";
import { createPalette, renderLine, type TextStyle } from "./text-style.ts";

/** A status is for reading, not for scrolling: phases beyond this are counted. */
const MAX_TREE_LINES = 100;

/** A run as it stands now: its phases, its attempts, its last problem, and after a failure what to type next. */
export function renderStatus(view: RunView, style: TextStyle = {}): string {
  const columns = style.columns ?? Number.POSITIVE_INFINITY;
  const palette = createPalette(style.color ?? false);
  const nowMs = style.nowMs ?? view.last_at_ms ?? 0;
  const { attempts, retries, lost } = summariseRun(view);
  const effort = `${formatCount(attempts, "attempt")}, ${retries} retried, ${lost} lost`;
  const commands = nextCommands(view, listFailures(view));
  return [
    ...runTree(view, { columns, rows: MAX_TREE_LINES, nowMs, palette }),
    ...(attempts === 0 ? [] : [renderLine([{ text: effort, paint: palette.faint }], columns)]),
    ...commands.map((command) => renderLine([{ text: "next: " }, { text: command, paint: palette.strong }])),
  ].join("\n");
}
