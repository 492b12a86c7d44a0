import type { RunRecord } from "@fanfold/schemas";
import type { Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import { print } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** `cancel`, `pause` and `resume`: end a run or a part of it, hold it back, and let it go on. */
export function addAdmissionCommands(program: Command): void {
  addCancel(program);
  forRun(program, "pause", "start nothing new of a run; what runs goes on to its end", (session, runId) =>
    session.engine.pause(runId, "cli"),
  );
  forRun(program, "resume", "let a paused run go on", (session, runId) => session.engine.resume(runId, "cli"));
}

type Hold = (session: Session, runId: string) => Promise<RunRecord>;

function forRun(program: Command, name: string, description: string, hold: Hold): void {
  program
    .command(name)
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .description(description)
    .option("--json", "print the run as one JSON object")
    .action((run: string, flags: { json?: boolean }, command: Command) =>
      withSession(command, async (session): Promise<ExitCode> => {
        const { findRunId } = await import("../find-run.ts");
        const record = await hold(session, await findRunId(session.store, run));
        print(flags.json === true ? JSON.stringify(record) : `${record.run_id} is ${stateOf(record)}`);
        return EXIT.ok;
      }),
    );
}

function stateOf({ status, paused }: RunRecord): string {
  return paused ? `${status} (paused)` : status;
}

function addCancel(program: Command): void {
  program
    .command("cancel")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .description("cancel a run, or a part of it: nothing new starts, what runs is killed")
    .option("--phase <phase>", "only this phase; what needs its success is skipped")
    .option("--shard <n>", "only this shard of the phase", wholeNumber(0))
    .action((run: string, flags: CancelFlags, command: Command) =>
      withSession(command, async (session) => {
        const { findRunId } = await import("../find-run.ts");
        return cancel(session, await findRunId(session.store, run), flags);
      }),
    );
}

interface CancelFlags {
  readonly phase?: string;
  readonly shard?: number;
}

async function cancel(session: Session, runId: string, { phase, shard }: CancelFlags): Promise<ExitCode> {
  if (phase !== undefined) {
    await session.engine.cancelPart(runId, { phase, shard }, "cli");
    print(`${shard === undefined ? phase : `${phase}[${shard}]`} of ${runId} is being cancelled`);
    return EXIT.ok;
  }
  if (shard !== undefined) throw new CliError(EXIT.usage, "--shard needs --phase");
  const { status } = await session.engine.cancel(runId, "cli");
  print(status === "cancelled" ? `${runId} is cancelled` : `${runId} is being cancelled`);
  return EXIT.ok;
}
