import type { GraphFormat, PlanSource } from "@fanfold/core";
import { type Command, Option } from "commander";
import { EXIT } from "../exit-codes.ts";
import { type PlanFlags, planCommand } from "../options.ts";
import type { LoadedPlan } from "../plan-file.ts";
import { print, say, styleOf } from "../terminal.ts";

/** `validate`, `explain`, `graph`, `schema`: the commands that look at a plan and start nothing. */
export function addPlanCommands(program: Command): void {
  planCommand(program, "validate", "check a plan and name every problem at once; starts nothing")
    .option("--json", "print problems as JSON")
    .action((file: string | undefined, _flags, command: Command) => validate(file, command));
  planCommand(program, "explain", "say what a run of a plan would do; starts nothing and needs no Redis")
    .option("--json", "print one JSON object")
    .action((file: string | undefined, _flags, command: Command) => explain(file, command));
  planCommand(program, "graph", "draw the phases of a plan and their dependencies")
    .addOption(
      new Option("--format <format>", "language of the drawing").choices(["mermaid", "dot"]).default("mermaid"),
    )
    .action((file: string | undefined, _flags, command: Command) => graph(file, command));
  program.command("schema").description("print the JSON Schema of plans, for editors").action(printSchema);
}

interface GraphFlags extends PlanFlags {
  readonly format: GraphFormat;
}

async function validate(file: string | undefined, command: Command): Promise<void> {
  const { checkPlanNamed, checkTemplate, compilePlanFile, countErrors, formatProblems, readPlanOptions } = await import(
    "../plan-file.ts"
  );
  const flags = command.optsWithGlobals<PlanFlags>();
  checkPlanNamed(file, flags);
  const options = await readPlanOptions(flags);
  const result =
    file === undefined ? checkTemplate(await templateText(command), options) : await compilePlanFile(file, options);
  const problems = result.ok ? result.warnings : result.problems;
  if (flags.json === true) print(JSON.stringify({ ok: result.ok, problems }));
  else {
    const name = file ?? `template ${flags.template}`;
    if (problems.length > 0) print(`${formatProblems(problems)}\n\n`);
    const count = result.ok ? result.plan.phases.length : 0;
    print(
      result.ok
        ? `${name} is a valid plan: ${count} phase${count === 1 ? "" : "s"}`
        : `${name}: ${countErrors(problems)}`,
    );
  }
  process.exitCode = result.ok ? EXIT.ok : EXIT.usage;
}

async function explain(file: string | undefined, command: Command): Promise<void> {
  const [{ explainPlan }, { renderExplanation }] = await Promise.all([
    import("@fanfold/core"),
    import("../view/explanation-text.ts"),
  ]);
  const { plan, leftOut } = await loadPlan(file, command);
  const explanation = explainPlan(plan, leftOut);
  const { json } = command.opts<PlanFlags>();
  print(json === true ? JSON.stringify(explanation) : renderExplanation(explanation, styleOf(process.stdout)));
}

async function graph(file: string | undefined, command: Command): Promise<void> {
  const { planGraphText } = await import("@fanfold/core");
  const { plan } = await loadPlan(file, command);
  print(planGraphText(plan, command.opts<GraphFlags>().format));
}

async function loadPlan(file: string | undefined, command: Command): Promise<LoadedPlan> {
  const { checkPlanNamed, compileTemplate, formatProblems, loadPlanFile, readPlanOptions } = await import(
    "../plan-file.ts"
  );
  const flags = command.optsWithGlobals<PlanFlags>();
  checkPlanNamed(file, flags);
  const options = await readPlanOptions(flags);
  const loaded =
    file === undefined ? compileTemplate(await templateText(command), options) : await loadPlanFile(file, options);
  if (loaded.warnings.length > 0) say(formatProblems(loaded.warnings));
  return loaded;
}

/** Text of the template that is named by a flag. A built-in one needs no Redis. */
async function templateText(command: Command): Promise<PlanSource> {
  const { template = "" } = command.opts<PlanFlags>();
  const { findBuiltInTemplate, findTemplate } = await import("@fanfold/engine");
  const own = findBuiltInTemplate(template);
  if (own !== undefined) return own.source;
  const { openSession } = await import("../session.ts");
  const session = await openSession(command.optsWithGlobals<PlanFlags>());
  try {
    return (await findTemplate(session.store, template)).source;
  } finally {
    await session.close();
  }
}

async function printSchema(): Promise<void> {
  const { planJsonSchema } = await import("@fanfold/core");
  print(JSON.stringify(planJsonSchema(), null, 2));
}
