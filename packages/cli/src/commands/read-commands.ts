import type { Command } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import { print, styleOf } from "../terminal.ts";
import { withSession } from "../with-session.ts";

const RUN_ARGUMENT = "id of a run, the beginning of one, or @latest";

/** `status`, `events`, `logs`, `ls`, `ping`: the commands that only look. */
export function addReadCommands(program: Command): void {
  forRun(program, "status", "show where a run stands")
    .option("--json", "print one JSON object")
    .action(withRun(showStatus));
  forRun(program, "events", "print a run's journal")
    .option("-f, --follow", "go on with new events until the run's end")
    .option("--json", "print JSON lines")
    .action(withRun(showEvents));
  forRun(program, "logs", "print what the attempts of a run wrote")
    .option("--phase <phase>", "only this phase")
    .option("--shard <n>", "only this shard", wholeNumber(0))
    .option("-f, --follow", "go on with new output until the run's end")
    .action(withRun(showLogs));
  program
    .command("ls")
    .description("list the latest runs")
    .option("-n, --limit <n>", "most runs to list", wholeNumber(1), 20)
    .option("--json", "print JSON lines")
    .action((_flags, command: Command) => withSession(command, (session) => listRuns(session, command.opts())));
  program
    .command("ping")
    .description("exit 0 when Redis answers")
    .action((_flags, command: Command) =>
      withSession(command, async (session) => {
        print(await session.store.redis.ping());
        return EXIT.ok;
      }),
    );
}

/** Flags of the commands about one run. */
export interface RunFlags {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly phase?: string;
  readonly shard?: number;
}

type RunAction = (session: Session, runId: string, flags: RunFlags) => Promise<ExitCode>;

function forRun(program: Command, name: string, description: string): Command {
  return program.command(name).argument("<run>", RUN_ARGUMENT).description(description);
}

function withRun(action: RunAction): (run: string, flags: unknown, command: Command) => Promise<void> {
  return (run, _flags, command) =>
    withSession(command, async (session) => {
      const { findRunId } = await import("../find-run.ts");
      return action(session, await findRunId(session.store, run), command.opts<RunFlags>());
    });
}

const showStatus: RunAction = async (session, runId, flags) => {
  const [{ loadRunView }, { renderStatus }, { runDocument }] = await Promise.all([
    import("../follow-run.ts"),
    import("../view/run-status-text.ts"),
    import("@fanfold/core"),
  ]);
  const view = await loadRunView(session, runId);
  print(flags.json === true ? JSON.stringify(runDocument(view)) : renderStatus(view, styleOf(process.stdout)));
  return EXIT.ok;
};

const showEvents: RunAction = async (session, runId, flags) => {
  const { printEvents } = await import("../print-events.ts");
  await printEvents(session, runId, { json: flags.json ?? false, follow: flags.follow ?? false });
  return EXIT.ok;
};

const showLogs: RunAction = async (session, runId, flags) => {
  const { printLogs } = await import("../print-logs.ts");
  await printLogs(session, runId, flags);
  return EXIT.ok;
};

async function listRuns(session: Session, flags: { limit: number; json?: boolean }): Promise<ExitCode> {
  const { renderRunTable } = await import("../view/run-table.ts");
  const runs = await session.store.runs.list({ limit: flags.limit });
  if (flags.json === true) for (const run of runs) print(JSON.stringify(run));
  else print(renderRunTable(runs, styleOf(process.stdout)));
  return EXIT.ok;
}
