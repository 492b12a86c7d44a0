import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { AttemptError, errorCode } from "./attempt-error.ts";
import type { AttemptSpec } from "./attempt-spec.ts";

/**
 * Real path of something a plan names relative to its own directory.
 *
 * @param what name of the plan's field, for the message
 * @returns undefined when nothing is there
 * @throws {AttemptError} `PATH_OUTSIDE_WORKSPACE` when the path leaves the workspace, by itself or through a symlink
 */
export async function findContainedPath(
  spec: Pick<AttemptSpec, "workspaceDir" | "baseDir">,
  path: string,
  what: string,
): Promise<string | undefined> {
  const workspace = await realpath(spec.workspaceDir);
  const wanted = resolve(workspace, spec.baseDir, path);
  if (!isInside(workspace, wanted)) throw outside(path, what, workspace);
  const found = await realpathIfAny(wanted);
  if (found !== undefined && !isInside(workspace, found)) throw outside(path, what, workspace);
  return found;
}

async function realpathIfAny(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Whether a path lies in a directory, or is the directory. Both are absolute; nothing is looked up. */
export function isInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function outside(path: string, what: string, workspace: string): AttemptError {
  return new AttemptError("PATH_OUTSIDE_WORKSPACE", `${what} "${path}" is outside the workspace ${workspace}`, {
    next_action: `move it into the workspace, or correct ${what} in the plan`,
  });
}
