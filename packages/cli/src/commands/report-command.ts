import { type Command, Option } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import { print, styleOf } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** Flags of `report`. */
interface ReportFlags {
  readonly json?: boolean;
  readonly html?: boolean;
}

/** `report`: what a run took, where the time went, and what it cost. */
export function addReportCommand(program: Command): void {
  program
    .command("report")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .description("tell what a run took, phase by phase: time, critical path, attempts, tokens and cost")
    .addOption(new Option("--json", "print one JSON object").conflicts("html"))
    .addOption(new Option("--html", "print a web page that needs nothing else"))
    .action((run: string, _flags, command: Command) =>
      withSession(command, (session) => report(session, run, command.opts<ReportFlags>())),
    );
}

async function report(session: Session, typed: string, flags: ReportFlags): Promise<ExitCode> {
  const [{ findRunId }, { loadReport }] = await Promise.all([
    import("../find-run.ts"),
    import("../report-document.ts"),
  ]);
  const runId = await findRunId(session.store, typed);
  const style = styleOf(process.stdout);
  const document = await loadReport(session, runId, style.nowMs ?? Date.now());
  if (flags.json === true) print(JSON.stringify(document));
  else if (flags.html === true) print((await import("../view/report-html.ts")).renderReportHtml(document));
  else print((await import("../view/report-text.ts")).renderReportText(document, style));
  return EXIT.ok;
}
