import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import {
  type CompileResult,
  compilePlanText,
  compilePlanValue,
  formatProblem,
  parseVariablesText,
  type PlanProblem,
  type PlanSelection,
  type PlanSource as PlanText,
} from "@fanfold/core";
import type { PlanSource } from "@fanfold/schemas";
import { CliError, EXIT } from "./exit-codes.ts";
import type { PlanFlags } from "./options.ts";
import { resolveConfig } from "./session-config.ts";
import { baseDirOf } from "./workspace.ts";

const TEXT_FORMATS = new Set([".yaml", ".yml", ".json"]);
const MODULE_FORMATS = new Set([".ts", ".mts", ".js", ".mjs"]);

/** How a plan file is read. */
export interface PlanFileOptions {
  readonly variables: Record<string, string>;
  readonly workspaceDir: string;
  readonly strict: boolean;
  readonly selection: PlanSelection;
  readonly exclude: readonly string[];
}

/** A plan that may run, and what its author should know. */
export type LoadedPlan = Extract<CompileResult, { ok: true }>;

/** @throws {CliError} unless either a plan file or a template is named */
export function checkPlanNamed(file: string | undefined, { template }: PlanFlags): void {
  if ((file === undefined) !== (template === undefined)) return;
  throw new CliError(EXIT.usage, "name a plan file, or a template with --template, and not both");
}

/**
 * Turns flags into what the compiler wants, and reads the file of variables when there is one.
 *
 * @throws {CliError} when that file cannot be read, or is wrong
 */
export async function readPlanOptions(flags: PlanFlags): Promise<PlanFileOptions> {
  const { workspaceDir } = resolveConfig(flags, process.env, process.cwd());
  const fromFile = flags.varsFile === undefined ? {} : await loadVariables(flags.varsFile);
  const { only, skip, from, to } = flags;
  return {
    variables: { ...fromFile, ...flags.var },
    workspaceDir,
    strict: flags.strict ?? false,
    exclude: flags.exclude ?? [],
    selection: {
      ...(only === undefined ? {} : { only }),
      ...(skip === undefined ? {} : { skip }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    },
  };
}

/**
 * Reads, checks and compiles a plan file (YAML, JSON, or a module that exports a plan by default).
 *
 * @throws {CliError} with every problem of the file at once
 */
export async function loadPlanFile(file: string, options: PlanFileOptions): Promise<LoadedPlan> {
  const result = await compilePlanFile(file, options);
  if (result.ok) return result;
  throw new CliError(
    EXIT.usage,
    `${formatProblems(result.problems)}\n\n${file} is not a valid plan: ${countErrors(result.problems)}, nothing was started`,
  );
}

/**
 * Compiles the plan of a template, whose scripts are looked for from the top of the workspace.
 *
 * @throws {CliError} with every problem of it at once
 */
export function compileTemplate(source: PlanText, options: PlanFileOptions): LoadedPlan {
  const result = checkTemplate(source, options);
  if (result.ok) return result;
  const end = `${source.file} does not make a valid plan: ${countErrors(result.problems)}, nothing was started`;
  throw new CliError(EXIT.usage, `${formatProblems(result.problems)}\n\n${end}`);
}

/** Compiles the plan of a template, or says what is wrong with it. */
export function checkTemplate(source: PlanText, options: PlanFileOptions): CompileResult {
  const { variables, strict, selection, exclude } = options;
  return compilePlanText(source, { variables, strict, selection, exclude });
}

/**
 * Reads a plan file that is to be a template, and checks it as far as that can be done without its variables.
 *
 * @throws {CliError} with every problem of the file at once
 */
export async function loadTemplateFile(
  file: string,
  { variables, strict }: PlanFileOptions,
): Promise<LoadedPlan & { readonly text: string }> {
  const format = planFormatOf(file);
  const written = format === "text" ? await readText(file, "plan") : undefined;
  const value = written === undefined ? await importPlan(file) : undefined;
  const options = { variables, strict, isTemplate: true };
  const result =
    written === undefined ? compilePlanValue(value, options) : compilePlanText({ text: written, file }, options);
  if (result.ok) return { ...result, text: written ?? `${JSON.stringify(value, null, 2)}\n` };
  const end = `${file} is not a valid plan: ${countErrors(result.problems)}, nothing was added`;
  throw new CliError(EXIT.usage, `${formatProblems(result.problems)}\n\n${end}`);
}

/** Compiles a plan file. @throws {CliError} when the file cannot be read */
export async function compilePlanFile(file: string, options: PlanFileOptions): Promise<CompileResult> {
  const format = planFormatOf(file);
  const { variables, strict, selection, exclude } = options;
  const text = await readText(file, "plan");
  const compileOptions = { variables, strict, selection, exclude, baseDir: baseDirOf(file, options.workspaceDir) };
  if (format === "text") return compilePlanText({ text, file }, compileOptions);
  return compilePlanValue(await importPlan(file), compileOptions);
}

/** Compiles a plan again that was submitted before. @throws {CliError} with every problem, of its variables for instance */
export function compileAgain(
  { document, variables, selection, exclude = [] }: PlanSource,
  baseDir: string,
): LoadedPlan {
  const result = compilePlanValue(document, { variables, selection, exclude, baseDir });
  if (result.ok) return result;
  throw new CliError(
    EXIT.usage,
    `${formatProblems(result.problems)}\n\n${countErrors(result.problems)}: nothing was started`,
  );
}

/** Problems for a terminal, apart by empty lines. */
export function formatProblems(problems: readonly PlanProblem[]): string {
  return problems.map(formatProblem).join("\n\n");
}

/** How many of them are errors: `1 error`, `3 errors`. */
export function countErrors(problems: readonly PlanProblem[]): string {
  const count = problems.filter(({ severity }) => severity === "error").length;
  return count === 1 ? "1 error" : `${count} errors`;
}

/** Whether a plan file is text or a module. @throws {CliError} when it is neither */
function planFormatOf(file: string): "text" | "module" {
  const format = extname(file).toLowerCase();
  if (TEXT_FORMATS.has(format)) return "text";
  if (MODULE_FORMATS.has(format)) return "module";
  throw new CliError(EXIT.usage, `${file}: a plan is a .yaml, .yml, .json, .ts, .mts, .js or .mjs file`);
}

async function loadVariables(file: string): Promise<Readonly<Record<string, string>>> {
  const result = parseVariablesText({ text: await readText(file, "file of variables"), file });
  if (result.ok) return result.variables;
  throw new CliError(
    EXIT.usage,
    `${formatProblems(result.problems)}\n\n${file} gives no variables: ${countErrors(result.problems)}`,
  );
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a directory" : String(cause);
    throw new CliError(EXIT.usage, `cannot read the ${what} ${file}: ${why}`, { cause });
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
