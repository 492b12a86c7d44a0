import type { GraphFormat } from "@fanfold/core";
import { type Command, Option } from "commander";
import { EXIT } from "../exit-codes.ts";
import { type PlanFlags, planCommand } from "../options.ts";
import { print, say, styleOf } from "../terminal.ts";

/** `validate`, `explain`, `graph`, `schema`: the commands that look at a plan and start nothing. */
export function addPlanCommands(program: Command): void {
  planCommand(program, "validate", "check a plan and name every problem at once; starts nothing")
    .option("--json", "print problems as JSON")
    .action((file: string, _flags, command: Command) => validate(file, command.optsWithGlobals<PlanFlags>()));
  planCommand(program, "explain", "say what a run of a plan would do; starts nothing and needs no Redis")
    .option("--json", "print one JSON object")
    .action((file: string, _flags, command: Command) => explain(file, command.optsWithGlobals<PlanFlags>()));
  planCommand(program, "graph", "draw the phases of a plan and their dependencies")
    .addOption(
      new Option("--format <format>", "language of the drawing").choices(["mermaid", "dot"]).default("mermaid"),
    )
    .action((file: string, _flags, command: Command) => graph(file, command.optsWithGlobals<GraphFlags>()));
  program.command("schema").description("print the JSON Schema of plans, for editors").action(printSchema);
}

interface GraphFlags extends PlanFlags {
  readonly format: GraphFormat;
}

async function validate(file: string, flags: PlanFlags): Promise<void> {
  const { compilePlanFile, countErrors, formatProblems, readPlanOptions } = await import("../plan-file.ts");
  const result = await compilePlanFile(file, await readPlanOptions(flags));
  const problems = result.ok ? result.warnings : result.problems;
  if (flags.json === true) print(JSON.stringify({ ok: result.ok, problems }));
  else {
    if (problems.length > 0) print(`${formatProblems(problems)}\n\n`);
    const count = result.ok ? result.plan.phases.length : 0;
    print(
      result.ok
        ? `${file} is a valid plan: ${count} phase${count === 1 ? "" : "s"}`
        : `${file}: ${countErrors(problems)}`,
    );
  }
  process.exitCode = result.ok ? EXIT.ok : EXIT.usage;
}

async function explain(file: string, flags: PlanFlags): Promise<void> {
  const [{ explainPlan }, { renderExplanation }] = await Promise.all([
    import("@fanfold/core"),
    import("../view/explanation-text.ts"),
  ]);
  const { plan, leftOut } = await loadPlan(file, flags);
  const explanation = explainPlan(plan, leftOut);
  print(flags.json === true ? JSON.stringify(explanation) : renderExplanation(explanation, styleOf(process.stdout)));
}

async function graph(file: string, flags: GraphFlags): Promise<void> {
  const { planGraphText } = await import("@fanfold/core");
  const { plan } = await loadPlan(file, flags);
  print(planGraphText(plan, flags.format));
}

async function loadPlan(file: string, flags: PlanFlags) {
  const { formatProblems, loadPlanFile, readPlanOptions } = await import("../plan-file.ts");
  const loaded = await loadPlanFile(file, await readPlanOptions(flags));
  if (loaded.warnings.length > 0) say(formatProblems(loaded.warnings));
  return loaded;
}

async function printSchema(): Promise<void> {
  const { planJsonSchema } = await import("@fanfold/core");
  print(JSON.stringify(planJsonSchema(), null, 2));
}
