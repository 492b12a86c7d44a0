import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { CliError, EXIT } from "./exit-codes.ts";

const MARKERS = [".fanfold", ".git"];

/** Nearest directory from here upwards that is a project (`.fanfold` or `.git`), else this one. */
export function findWorkspace(from: string): string {
  const start = resolve(from);
  for (let dir = start; ; dir = dirname(dir)) {
    if (MARKERS.some((marker) => existsSync(join(dir, marker)))) return dir;
    if (dirname(dir) === dir) return start;
  }
}

/**
 * Directory of a plan's file relative to the workspace: what a run keeps, and every worker resolves in its own.
 *
 * @throws {CliError} when the file is outside of the workspace
 */
export function baseDirOf(planFile: string, workspaceDir: string): string {
  const dir = relative(resolve(workspaceDir), dirname(resolve(planFile)));
  if (dir === ".." || dir.startsWith(`..${sep}`) || resolve(dir) === dir) {
    const hint = "pass --workspace with a directory that holds both the plan and its scripts";
    throw new CliError(EXIT.usage, `${planFile} is outside of the workspace ${workspaceDir}; ${hint}`);
  }
  return dir === "" ? "." : dir.split(sep).join("/");
}
