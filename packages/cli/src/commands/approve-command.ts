import type { Command } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import { print } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** `approve`: answers a phase that waits for a person. */
export function addApproveCommand(program: Command): void {
  program
    .command("approve")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .argument("<phase>", "phase that waits for an approval")
    .description("approve a phase that waits for a person, or reject it; the first answer counts")
    .option("--reject", "reject it: the phase fails")
    .option("--comment <text>", "what there is to say; it goes into the journal and the phase's output")
    .option("--json", "print one JSON object")
    .action((run: string, phase: string, flags: ApproveFlags, command: Command) =>
      withSession(command, (session) => approve(session, { run, phase }, flags)),
    );
}

interface ApproveFlags {
  readonly reject?: boolean;
  readonly comment?: string;
  readonly json?: boolean;
}

async function approve(
  session: Session,
  { run, phase }: { readonly run: string; readonly phase: string },
  { reject = false, comment = "", json = false }: ApproveFlags,
): Promise<ExitCode> {
  const { findRunId } = await import("../find-run.ts");
  const runId = await findRunId(session.store, run);
  const given = await session.engine.approve(runId, phase, { approved: !reject, comment, actor: "cli" });
  print(json ? JSON.stringify(given) : `${phase} of ${runId} is ${reject ? "rejected" : "approved"}`);
  return EXIT.ok;
}
