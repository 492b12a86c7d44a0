import { formatPath } from "./plan-path.ts";
import type { PlanProblem } from "./plan-problem.ts";

/**
 * Writes a problem for a terminal or a log: `file:line:column: error CODE: message`, then the code frame and the
 * hint where there are any. A plan without a text shows its path instead of a position. No colours, no final newline.
 */
export function formatProblem(problem: PlanProblem): string {
  const { file, line, column, severity, code, message, path, frame, hint } = problem;
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  const lines = [`${place}: ${severity} ${code}: ${message}`];
  if (frame !== "") lines.push(frame);
  else if (path.length > 0) lines.push(`  at ${formatPath(path)}`);
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  return lines.join("\n");
}
