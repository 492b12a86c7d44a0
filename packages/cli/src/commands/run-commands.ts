import type { Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { collectIds, DEFAULT_CONCURRENCY, type PlanFlags, planCommand, wholeNumber } from "../options.ts";
import type { LoadedPlan } from "../plan-file.ts";
import type { Session } from "../session.ts";
import { print, say } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** Flags of the commands that start a plan. */
interface StartFlags extends PlanFlags {
  readonly runId?: string;
  readonly concurrency: number;
  readonly wait?: boolean;
  /** False with `--no-cache`. */
  readonly cache: boolean;
  readonly refresh?: string[];
}

/** `run`, `submit`, `retry`, `watch`: the commands that start runs or see them to their end. */
export function addRunCommands(program: Command): void {
  startCommand(program, "run", "run a plan here, to its end, with a scheduler and a worker of its own")
    .option("--run <run>", "bring this run up to date: do what is stale or missing in it, and nothing else")
    .option("-c, --concurrency <n>", "shards executed at once", wholeNumber(1), DEFAULT_CONCURRENCY)
    .option("--json", "print one JSON object instead of the live view and the summary")
    .action((file: string | undefined, _flags, command: Command) => runOrUpdate(file, command));
  startCommand(program, "submit", "queue a plan for the scheduler and workers of a deployment; prints the run id")
    .option("--wait", "watch the run to its end; the exit code tells how it ended")
    .option("--json", "print one JSON object")
    .action((file: string | undefined, _flags, command: Command) => withPlan(file, command, submit));
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

function startCommand(program: Command, name: string, description: string): Command {
  return planCommand(program, name, description)
    .option("--run-id <id>", "id of the run; submitting the same id again changes nothing")
    .option("--no-cache", "reuse no earlier output, and keep none to be reused")
    .option(
      "--refresh <ids>",
      "run these phases anew, and let what comes of it replace the earlier outputs",
      collectIds,
    );
}

async function runOrUpdate(file: string | undefined, command: Command): Promise<void> {
  const { run, template, var: variables } = command.opts<StartFlags & { run?: string }>();
  if (run === undefined) {
    if (file !== undefined || template !== undefined) return withPlan(file, command, runHere);
    throw new CliError(EXIT.usage, "name a plan to run, or a run to bring up to date: fanfold run --run RUN");
  }
  if (file !== undefined || template !== undefined || variables !== undefined) {
    const hint = `fanfold rerun ${run} --plan FILE, or --var NAME=VALUE`;
    throw new CliError(EXIT.usage, `--run brings a run up to date with its own plan; with a changed one: ${hint}`);
  }
  await withSession(command, async (session) => {
    const [{ carryOutRerun }, { findRunId }] = await Promise.all([
      import("../carry-out-rerun.ts"),
      import("../find-run.ts"),
    ]);
    const runId = await findRunId(session.store, run);
    return carryOutRerun(session, runId, { phases: [], reach: "update" }, command.opts<StartFlags>());
  });
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
  return carryRun(session, runId, flags);
}

async function withPlan(
  file: string | undefined,
  command: Command,
  action: (session: Session, loaded: LoadedFile) => Promise<ExitCode>,
): Promise<void> {
  const flags = command.optsWithGlobals<StartFlags>();
  const { checkPlanNamed, loadPlanFile, readPlanOptions } = await import("../plan-file.ts");
  checkPlanNamed(file, flags);
  const options = await readPlanOptions(flags);
  if (file !== undefined) {
    const { plan, source } = await prepared(await loadPlanFile(file, options), flags);
    await withSession(command, (session) => action(session, { plan, source, flags }));
    return;
  }
  await withSession(command, async (session) => {
    const [{ findTemplate }, { compileTemplate }] = await Promise.all([
      import("@fanfold/engine"),
      import("../plan-file.ts"),
    ]);
    const found = await findTemplate(session.store, flags.template ?? "");
    const { plan, source } = await prepared(compileTemplate(found.source, options), flags);
    return action(session, { plan, source, flags });
  });
}

/** A plan with what it reuses settled; says what its author should know of it. */
async function prepared(loaded: LoadedPlan, flags: StartFlags): Promise<Pick<LoadedPlan, "plan" | "source">> {
  const [{ prepareReuse }, { formatProblem }] = await Promise.all([
    import("../prepare-reuse.ts"),
    import("@fanfold/core"),
  ]);
  for (const warning of loaded.warnings) say(formatProblem(warning));
  const { plan, warnings } = await prepareReuse(loaded.plan, flags);
  for (const warning of warnings) say(`warning: ${warning}`);
  return { plan, source: loaded.source };
}

interface LoadedFile {
  readonly plan: Parameters<Session["engine"]["submit"]>[0];
  readonly source: Parameters<Session["engine"]["submit"]>[2];
  readonly flags: StartFlags;
}

async function runHere(session: Session, { plan, source, flags }: LoadedFile): Promise<ExitCode> {
  const { carryRun } = await import("../carry-run.ts");
  await session.store.artifacts.check();
  const { runId, isNew } = await session.engine.submit(plan, flags.runId, source, "cli");
  if (!isNew) say(`run ${runId} is there already: following it`);
  return carryRun(session, runId, flags);
}

async function submit(session: Session, { plan, source, flags }: LoadedFile): Promise<ExitCode> {
  const { runId, isNew } = await session.engine.submit(plan, flags.runId, source, "cli");
  if (!isNew) say(`run ${runId} is there already: nothing was submitted`);
  const warnings = session.isEmbedded
    ? []
    : await (await import("@fanfold/engine")).warnOfUnservedPools(session.store, plan);
  for (const warning of warnings) say(`warning: ${warning}`);
  if (flags.wait === true) {
    const { watchRun } = await import("../carry-run.ts");
    return watchRun(session, runId, { json: flags.json ?? false });
  }
  print(flags.json === true ? JSON.stringify({ run_id: runId, is_new: isNew, warnings }) : runId);
  if (session.isEmbedded)
    say("no REDIS_URL: the run waits in the embedded Redis for `fanfold scheduler` and `fanfold worker`");
  return 0;
}
