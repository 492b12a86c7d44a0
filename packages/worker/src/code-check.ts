import { HashedFiles, pathsOfCode } from "@fanfold/engine";
import type { CompiledPhase, CompiledPlan } from "@fanfold/schemas";

const FILES = new HashedFiles();
/** What each imported file was when this process may first have loaded it: a module stays loaded as it was. */
const LOADED = new Map<string, string>();

/**
 * Whether the files of a phase's work are, on this machine and in this process, those that the submitter of the plan
 * saw. To be asked before and after an attempt: an output that other files made is not one to be reused.
 *
 * A module that a handler imports stays in the process as it was first loaded, whatever becomes of its file.
 */
export async function hasSubmittedCode(
  plan: CompiledPlan,
  { work, reuse }: CompiledPhase,
  workspaceDir: string,
): Promise<boolean> {
  const code = reuse?.code ?? null;
  if (code === null) return true;
  let isSame = true;
  for (const [name, path] of pathsOfCode(plan, workspaceDir, code)) {
    const sha256 = (await FILES.hash(path)) ?? "";
    if (sha256 !== code[name]) isSame = false;
    if (work.kind !== "handler" || name === entryOf(work.handler)) continue;
    const loaded = LOADED.get(path);
    if (loaded === undefined) LOADED.set(path, sha256);
    else if (loaded !== sha256) isSame = false;
  }
  return isSame;
}

function entryOf(handler: string): string {
  return handler.replace(/^(\.\/)+/, "");
}
