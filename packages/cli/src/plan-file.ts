import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { type CompileResult, compilePlanText, compilePlanValue, formatProblem, type PlanProblem } from "@fanfold/core";
import type { CompiledPlan } from "@fanfold/schemas";
import { CliError, EXIT } from "./exit-codes.ts";
import { baseDirOf } from "./workspace.ts";

const TEXT_FORMATS = new Set([".yaml", ".yml", ".json"]);
const MODULE_FORMATS = new Set([".ts", ".mts", ".js", ".mjs"]);

/** How a plan file is read. */
export interface PlanFileOptions {
  readonly variables: Record<string, string>;
  readonly workspaceDir: string;
  readonly strict: boolean;
}

/** A plan that may run, and what its author should know. */
export interface LoadedPlan {
  readonly plan: CompiledPlan;
  readonly warnings: readonly PlanProblem[];
}

/**
 * Reads, checks and compiles a plan file (YAML, JSON, or a module that exports a plan by default).
 *
 * @throws {CliError} with every problem of the file at once
 */
export async function loadPlanFile(file: string, options: PlanFileOptions): Promise<LoadedPlan> {
  const result = await compilePlanFile(file, options);
  if (result.ok) return result;
  const errors = result.problems.filter(({ severity }) => severity === "error").length;
  const head = `${file} is not a valid plan: ${errors} problem${errors === 1 ? "" : "s"}, nothing was started`;
  throw new CliError(EXIT.usage, [...result.problems.map(formatProblem), head].join("\n\n"));
}

/** Compiles a plan file. @throws {CliError} when the file cannot be read */
export async function compilePlanFile(file: string, options: PlanFileOptions): Promise<CompileResult> {
  const format = extname(file).toLowerCase();
  const { variables, strict } = options;
  if (!TEXT_FORMATS.has(format) && !MODULE_FORMATS.has(format)) {
    throw new CliError(EXIT.usage, `${file}: a plan is a .yaml, .yml, .json, .ts, .mts, .js or .mjs file`);
  }
  const text = await readPlan(file);
  const compileOptions = { variables, strict, baseDir: baseDirOf(file, options.workspaceDir) };
  if (TEXT_FORMATS.has(format)) return compilePlanText({ text, file }, compileOptions);
  return compilePlanValue(await importPlan(file), compileOptions);
}

async function readPlan(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a directory" : String(cause);
    throw new CliError(EXIT.usage, `cannot read the plan ${file}: ${why}`, { cause });
  }
}

async function importPlan(file: string): Promise<unknown> {
  const { createJiti } = await import("jiti");
  try {
    return await createJiti(import.meta.url, { fsCache: false }).import(resolve(file), { default: true });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(EXIT.usage, `cannot load the plan ${file}: ${why}`, { cause });
  }
}
