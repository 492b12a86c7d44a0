import type { RunRecord } from "@fanfold/schemas";
import type { Command } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import { print } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** `pause` and `resume`: hold a run back, and let it go on. */
export function addAdmissionCommands(program: Command): void {
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
