/** Start of an absolute path, on any system a worker may run on. */
const ABSOLUTE = /^(?:[/\\]|[A-Za-z]:)/;

/**
 * Whether a path of a plan points outside of the workspace.
 *
 * @param path    relative to the plan's directory
 * @param baseDir the plan's directory relative to the workspace; one outside of it gives the path no room to go up
 */
export function escapesWorkspace(path: string, baseDir: string): boolean {
  if (ABSOLUTE.test(path)) return true;
  const room = ABSOLUTE.test(baseDir) ? 0 : Math.max(0, walk(baseDir, 0).end);
  return walk(path, room).lowest < 0;
}

/** Depth below the workspace after each step of a path: where it ends, and the lowest it gets. */
function walk(path: string, start: number): { end: number; lowest: number } {
  let depth = start;
  let lowest = start;
  for (const part of path.split(/[/\\]/)) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    lowest = Math.min(lowest, depth);
  }
  return { end: depth, lowest };
}
