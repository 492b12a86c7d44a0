import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { isReusable } from "@fanfold/core";
import type { CompiledPhase, CompiledPlan } from "@fanfold/schemas";
import { HashedFiles } from "./hashed-files.ts";
import { withLocalImports } from "./local-imports.ts";

/** Words of a shell command that may be files. */
const SHELL_WORDS = /[^\s"'`;|&<>()$=]+/g;
/** Longest text that is looked up as a name of a file. */
const MAX_PATH_CHARS = 1_000;

/**
 * The plan with the hashes of the files its phases run, for those whose outputs are reused and that declare no version.
 * Files are: a handler with all it imports by relative paths; and whatever file of the workspace the command, one of its
 * arguments or a variable in its `env` names, with what such a JavaScript file imports.
 *
 * @param workspaceDir directory that has the plan's files; undefined where there are none: then only phases with a
 *   declared version can be reused
 * @returns the plan, and a sentence for each phase whose outputs are not reused although the plan asks for it
 */
export async function hashCode(
  plan: CompiledPlan,
  workspaceDir: string | undefined,
): Promise<{ readonly plan: CompiledPlan; readonly warnings: string[] }> {
  const files = new HashedFiles();
  const warnings = new Map<string, string>();
  const phases: CompiledPhase[] = [];
  for (const phase of plan.phases) {
    const { reuse } = phase;
    if (reuse === undefined || reuse.version !== null) {
      phases.push(phase);
      continue;
    }
    const code =
      workspaceDir === undefined ? undefined : await hashPhase(phase, plan.base_dir, { workspaceDir, files });
    const hashed = { ...phase, reuse: { ...reuse, code: code ?? null } };
    if (!isReusable(hashed)) warnings.set(phase.template, whyNot(phase, workspaceDir));
    phases.push(hashed);
  }
  return { plan: { ...plan, phases }, warnings: [...warnings.values()] };
}

/** Absolute paths of the files of a phase, by their names relative to the plan's directory. */
export function pathsOfCode(
  { base_dir }: CompiledPlan,
  workspaceDir: string,
  code: Readonly<Record<string, string>>,
): Map<string, string> {
  const base = resolve(workspaceDir, base_dir);
  return new Map(Object.keys(code).map((name) => [name, resolve(base, name)]));
}

interface Place {
  readonly workspaceDir: string;
  readonly files: HashedFiles;
}

/** Files of a phase and their hashes; undefined when its handler is not here. */
async function hashPhase(
  phase: CompiledPhase,
  baseDir: string,
  { workspaceDir, files }: Place,
): Promise<Record<string, string> | undefined> {
  const base = resolve(workspaceDir, baseDir);
  const entries = phase.work.kind === "handler" ? [resolve(base, phase.work.handler)] : [];
  const cwd = resolve(base, phase.work.kind === "command" ? phase.cwd : ".");
  const workspace = await realpath(workspaceDir);
  for (const word of wordsOf(phase)) {
    const path = resolve(cwd, word);
    if (await isFileIn(workspace, path)) entries.push(path);
  }
  const code = new Map<string, string>();
  for (const entry of entries) {
    for (const path of await withLocalImports(entry)) {
      const sha256 = await files.hash(path);
      if (sha256 === undefined) return undefined;
      code.set(relative(base, path).split(sep).join("/"), sha256);
    }
  }
  return Object.fromEntries([...code].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Texts of a phase that may be names of files. */
function wordsOf({ work, env }: CompiledPhase): string[] {
  const own = Object.values(env);
  if (work.kind !== "command") return own;
  const words = work.shell ? (work.command.match(SHELL_WORDS) ?? []) : [work.command];
  return [...words, ...work.args, ...own];
}

/** Whether a path leads to a regular file of the workspace, also through links. */
async function isFileIn(workspace: string, path: string): Promise<boolean> {
  if (path.length > MAX_PATH_CHARS || path.includes("\0")) return false;
  try {
    const real = await realpath(path);
    const way = relative(workspace, real);
    if (way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)) return false;
    return (await stat(real)).isFile();
  } catch {
    return false;
  }
}

function whyNot({ template, work }: CompiledPhase, workspaceDir: string | undefined): string {
  const why =
    workspaceDir === undefined || work.kind !== "handler"
      ? "the files of its work are not known where the plan was submitted"
      : `its handler ${work.handler} is not in the plan's directory here`;
  return `outputs of phase ${template} are not reused: ${why}; declare cache: { version: … }`;
}
