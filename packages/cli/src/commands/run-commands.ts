import type { Command } from "commander";
import type { CarryOptions } from "../carry-run.ts";
import type { ExitCode } from "../exit-codes.ts";
import { collectVariable, DEFAULT_CONCURRENCY, wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import type { GlobalFlags } from "../session-config.ts";
import { print, say } from "../terminal.ts";
import { withSession } from "../with-session.ts";

const RUN_ID_HELP = "id of the run; submitting the same id again changes nothing";

/** Flags of the commands that take a plan. */
interface PlanFlags extends GlobalFlags {
  readonly var: Record<string, string>;
  readonly strict?: boolean;
  readonly runId?: string;
  readonly json?: boolean;
}

/** `run`, `submit`, `retry`, `watch`, `validate`: the commands that start runs or see them to their end. */
export function addRunCommands(program: Command): void {
  planCommand(program, "run", "run a plan here, to its end, with a scheduler and a worker of its own")
    .option("--run-id <id>", RUN_ID_HELP)
    .option("-c, --concurrency <n>", "shards executed at once", wholeNumber(1), DEFAULT_CONCURRENCY)
    .option("--json", "print one JSON object instead of the live view and the summary")
    .action((file: string, _flags, command: Command) => withPlan(file, command, runHere));
  planCommand(program, "submit", "queue a plan for the scheduler and workers of a deployment; prints the run id")
    .option("--run-id <id>", RUN_ID_HELP)
    .option("--wait", "watch the run to its end; the exit code tells how it ended")
    .option("--json", "print one JSON object")
    .action((file: string, _flags, command: Command) => withPlan(file, command, submit));
  planCommand(program, "validate", "check a plan and name every problem at once; starts nothing")
    .option("--json", "print problems as JSON")
    .action(validate);
  program
    .command("watch")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .description("show a run live until its end; Ctrl-C stops watching, the run goes on")
    .option("--json", "print the run as one JSON object at its end")
    .action((run: string, flags: { json?: boolean }, command: Command) =>
      withSession(command, async (session) => {
        const [{ watchRun }, { findRunId }] = await Promise.all([import("../carry-run.ts"), import("../find-run.ts")]);
        return watchRun(session, await findRunId(session.store, run), { json: flags.json ?? false });
      }),
    );
  addRetry(program);
}

function planCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .argument("<plan>", "plan file: .yaml, .json, or a module that exports a plan")
    .description(description)
    .option("--var <NAME=VALUE>", "set a variable of the plan; may be repeated", collectVariable, {})
    .option("--strict", "treat warnings as errors");
}

function addRetry(program: Command): void {
  program
    .command("retry")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .description("retry what failed for good, with a full retry budget; the run carries on")
    .option("--phase <phase>", "only this phase")
    .option("--shard <n>", "only this shard of the phase", wholeNumber(0))
    .option(
      "-c, --concurrency <n>",
      "shards executed at once, on the embedded Redis",
      wholeNumber(1),
      DEFAULT_CONCURRENCY,
    )
    .option("--json", "print one JSON object")
    .action((run: string, _flags, command: Command) => withSession(command, (session) => retry(session, run, command)));
}

type RetryFlags = { phase?: string; shard?: number; concurrency: number; json?: boolean };

async function retry(session: Session, typed: string, command: Command): Promise<ExitCode> {
  const { findRunId } = await import("../find-run.ts");
  const { carryRun } = await import("../carry-run.ts");
  const flags = command.opts<RetryFlags>();
  const runId = await findRunId(session.store, typed);
  const { phase, shard } = flags;
  const scope = { ...(phase === undefined ? {} : { phase }), ...(shard === undefined ? {} : { shard }) };
  const retried = await session.engine.retry(runId, scope, "cli");
  if (!session.isEmbedded) {
    print(flags.json === true ? JSON.stringify({ run_id: runId, retried }) : `retrying ${retried.join(", ")}`);
    return 0;
  }
  say(`retrying ${retried.join(", ")}`);
  return carryRun(session, runId, await carryOptions(session, runId, flags));
}

async function withPlan(
  file: string,
  command: Command,
  action: (session: Session, loaded: LoadedFile) => Promise<ExitCode>,
): Promise<void> {
  const flags = command.optsWithGlobals<PlanFlags & { concurrency: number; wait?: boolean }>();
  const [{ loadPlanFile }, { resolveConfig }] = await Promise.all([
    import("../plan-file.ts"),
    import("../session-config.ts"),
  ]);
  const { formatProblem } = await import("@fanfold/core");
  const { workspaceDir } = resolveConfig(flags, process.env, process.cwd());
  const options = { variables: flags.var, strict: flags.strict ?? false, workspaceDir };
  const { plan, warnings } = await loadPlanFile(file, options);
  for (const warning of warnings) say(formatProblem(warning));
  await withSession(command, (session) => action(session, { plan, flags }));
}

interface LoadedFile {
  readonly plan: Parameters<Session["engine"]["submit"]>[0];
  readonly flags: PlanFlags & { concurrency: number; wait?: boolean };
}

async function runHere(session: Session, { plan, flags }: LoadedFile): Promise<ExitCode> {
  const { carryRun } = await import("../carry-run.ts");
  const { runId, isNew } = await session.engine.submit(plan, flags.runId);
  if (!isNew) say(`run ${runId} is there already: following it`);
  return carryRun(session, runId, await carryOptions(session, runId, flags));
}

async function carryOptions(
  session: Session,
  runId: string,
  flags: { concurrency: number; json?: boolean },
): Promise<CarryOptions> {
  const { plan } = await session.engine.plan(runId);
  const pools = ["default", ...plan.phases.map(({ pool }) => pool)];
  return { concurrency: flags.concurrency, pools, json: flags.json ?? false };
}

async function submit(session: Session, { plan, flags }: LoadedFile): Promise<ExitCode> {
  const { runId, isNew } = await session.engine.submit(plan, flags.runId);
  if (!isNew) say(`run ${runId} is there already: nothing was submitted`);
  if (flags.wait === true) {
    const { watchRun } = await import("../carry-run.ts");
    return watchRun(session, runId, { json: flags.json ?? false });
  }
  print(flags.json === true ? JSON.stringify({ run_id: runId, is_new: isNew }) : runId);
  if (session.isEmbedded)
    say("no REDIS_URL: the run waits in the embedded Redis for `fanfold scheduler` and `fanfold worker`");
  return 0;
}

async function validate(file: string, _flags: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<PlanFlags>();
  const [{ compilePlanFile }, { resolveConfig }] = await Promise.all([
    import("../plan-file.ts"),
    import("../session-config.ts"),
  ]);
  const { formatProblem } = await import("@fanfold/core");
  const { workspaceDir } = resolveConfig(flags, process.env, process.cwd());
  const result = await compilePlanFile(file, { variables: flags.var, strict: flags.strict ?? false, workspaceDir });
  const problems = result.ok ? result.warnings : result.problems;
  if (flags.json === true) print(JSON.stringify({ ok: result.ok, problems }));
  else {
    for (const problem of problems) print(`${formatProblem(problem)}\n`);
    const errors = problems.filter(({ severity }) => severity === "error").length;
    print(result.ok ? `${file} is a valid plan: ${result.plan.phases.length} phases` : `${file}: ${errors} errors`);
  }
  process.exitCode = result.ok ? 0 : 2;
}
