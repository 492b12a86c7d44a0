import type { RerunReach } from "@fanfold/core";
import type { RerunOrder } from "@fanfold/engine";
import type { CompiledPlan } from "@fanfold/schemas";
import { type Command, Option } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { collectIds, collectVariable, DEFAULT_CONCURRENCY, wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import type { GlobalFlags } from "../session-config.ts";
import { say } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** Flags of `rerun`. */
interface RerunFlags extends GlobalFlags {
  readonly phase?: string[];
  readonly only?: boolean;
  readonly downstream?: boolean;
  readonly stale?: boolean;
  readonly plan?: string;
  readonly var?: Record<string, string>;
  readonly preview?: boolean;
  readonly json?: boolean;
  readonly concurrency: number;
}

/** `rerun`: runs phases of a run again, in the same run. */
export function addRerunCommand(program: Command): void {
  program
    .command("rerun")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .description("run phases of a run again: what they gave stays in force until there is a new revision of it")
    .option("--phase <ids>", "phases to run again, or all instances of one with a matrix", collectIds)
    .addOption(new Option("--only", "these phases and nothing else").conflicts(["downstream", "stale"]))
    .addOption(new Option("--downstream", "and everything that depends on them").conflicts(["only", "stale"]))
    .addOption(new Option("--stale", "and what their new outputs make out of date").conflicts(["only", "downstream"]))
    .option("--plan <file>", "with a changed plan: what differs runs again, and what that makes out of date")
    .option("--var <NAME=VALUE>", "with another value of a variable; may be repeated", collectVariable)
    .option("--preview", "say what would run and why, and start nothing")
    .option(
      "-c, --concurrency <n>",
      "shards executed at once, on the embedded Redis",
      wholeNumber(1),
      DEFAULT_CONCURRENCY,
    )
    .option("--json", "print one JSON object")
    .action((run: string, _flags, command: Command) => withSession(command, (session) => rerun(session, run, command)));
}

async function rerun(session: Session, typed: string, command: Command): Promise<ExitCode> {
  const flags = command.optsWithGlobals<RerunFlags>();
  const [{ findRunId }, { carryOutRerun }] = await Promise.all([
    import("../find-run.ts"),
    import("../carry-out-rerun.ts"),
  ]);
  const runId = await findRunId(session.store, typed);
  const { phase = [], plan, var: variables } = flags;
  if (phase.length === 0 && plan === undefined && variables === undefined) {
    const hint = `name phases (--phase), give a changed plan (--plan, --var), or bring the run up to date: fanfold run --run ${typed}`;
    throw new CliError(EXIT.usage, `nothing says what to run again; ${hint}`);
  }
  const order = { phases: phase, reach: reachOf(flags), plan: await findPlan(session, runId, flags) };
  return carryOutRerun(session, runId, order, flags);
}

function reachOf({ only, downstream, stale }: RerunFlags): RerunReach {
  if (only === true) return "only";
  if (downstream === true) return "downstream";
  return stale === true ? "stale" : "phase";
}

/** The changed plan: that of a file, or the run's own with other variables. */
async function findPlan(session: Session, runId: string, flags: RerunFlags): Promise<RerunOrder["plan"]> {
  const { plan: file, var: variables } = flags;
  if (file === undefined && variables === undefined) return undefined;
  const { compileAgain, loadPlanFile } = await import("../plan-file.ts");
  const source = await session.store.runs.findSource(runId);
  const { plan } = await session.engine.plan(runId);
  const merged = { ...source?.variables, ...variables };
  if (file !== undefined) {
    const options = {
      variables: merged,
      strict: false,
      selection: source?.selection ?? {},
      workspaceDir: session.config.workspaceDir,
    };
    const loaded = await loadPlanFile(file, options);
    if (loaded.plan.plan_id !== plan.plan_id) {
      throw new CliError(
        EXIT.usage,
        `${file} is plan ${loaded.plan.plan_id}, and run ${runId} is one of ${plan.plan_id}`,
      );
    }
    return { compiled: await withCode(loaded.plan, session), source: loaded.source };
  }
  if (source === undefined) {
    throw new CliError(EXIT.usage, `it is not known what run ${runId} was compiled from; give its plan: --plan FILE`);
  }
  const compiled = compileAgain({ ...source, variables: merged }, plan.base_dir);
  return { compiled: await withCode(compiled.plan, session), source: compiled.source };
}

/** The plan with the hashes of the files of its work as they are here. */
async function withCode(plan: CompiledPlan, session: Session): Promise<CompiledPlan> {
  const { hashCode } = await import("@fanfold/engine");
  const hashed = await hashCode(plan, session.config.workspaceDir);
  for (const warning of hashed.warnings) say(`warning: ${warning}`);
  return hashed.plan;
}
