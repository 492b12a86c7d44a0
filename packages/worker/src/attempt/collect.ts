import { realpath } from "node:fs/promises";
import { AttemptError } from "./attempt-error.ts";
import type { AttemptArtifact } from "./attempt-spec.ts";
import { collectFiles } from "./collect-files.ts";
import { collectGitDiff } from "./collect-git-diff.ts";
import { findContainedPath } from "./contained-path.ts";
import type { RunningAttempt } from "./running-attempt.ts";

/**
 * What `collect` of the phase finds once its work has succeeded.
 *
 * @throws {AttemptError} COLLECT_FAILED, COLLECT_LIMIT, PATH_OUTSIDE_WORKSPACE
 */
export async function collect(attempt: RunningAttempt): Promise<AttemptArtifact[]> {
  const { spec, files, log, stop } = attempt;
  const { collect: wanted } = spec.phase;
  if (wanted === undefined || (wanted.files.length === 0 && !wanted.git_diff)) return [];
  const cwd = await findContainedPath(spec, spec.phase.cwd, "cwd");
  if (cwd === undefined) {
    throw new AttemptError("CWD_NOT_FOUND", `working directory "${spec.phase.cwd}" is gone: nothing can be collected`);
  }
  const found: AttemptArtifact[] = [];
  if (wanted.files.length > 0) {
    const place = { cwd, workspace: await realpath(spec.workspaceDir), target: files.collectedDir };
    found.push(...(await collectFiles(place, wanted.files)));
    if (found.length === 0) log.note(`no file matches ${wanted.files.join(", ")}: nothing was collected`);
  }
  if (wanted.git_diff) found.push(await collectGitDiff(attempt, cwd));
  if (stop.status !== null) throw stop.error();
  return found;
}
