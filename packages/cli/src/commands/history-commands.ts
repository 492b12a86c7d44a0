import type { Command } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import { parseRevisions } from "../parse-revisions.ts";
import { print, styleOf } from "../terminal.ts";
import { withSession } from "../with-session.ts";

const RUN_ARGUMENT = "id of a run, the beginning of one, or @latest";

/** `history`, `diff`, `compare`: what became of the outputs of a run, and how two runs differ. */
export function addHistoryCommands(program: Command): void {
  program
    .command("history")
    .argument("<run>", RUN_ARGUMENT)
    .description("list the revisions of a run's phases, with what each was made from")
    .option("--phase <phase>", "only this phase, or all instances of one with a matrix")
    .option("--json", "print JSON lines")
    .action((run: string, flags: HistoryFlags, command: Command) =>
      withSession(command, (session) => history(session, run, flags)),
    );
  program
    .command("diff")
    .argument("<run>", RUN_ARGUMENT)
    .argument(
      "[revisions...]",
      "a phase or one or two revisions of one, such as translate@r1 (default: every phase that has two)",
    )
    .description("tell how revisions of outputs differ: records added, removed and changed, by their key")
    .option("--json", "print one JSON array")
    .action((run: string, revisions: string[], flags: { json?: boolean }, command: Command) =>
      withSession(command, (session) => diff(session, run, { revisions, isJson: flags.json ?? false })),
    );
  program
    .command("compare")
    .argument("<run>", RUN_ARGUMENT)
    .argument("<other>", "the run to compare it with")
    .description("set two runs side by side: phases, durations, attempts and outputs")
    .option("--json", "print one JSON object")
    .action((run: string, other: string, flags: { json?: boolean }, command: Command) =>
      withSession(command, (session) => compare(session, run, { other, isJson: flags.json ?? false })),
    );
}

interface HistoryFlags {
  readonly phase?: string;
  readonly json?: boolean;
}

async function history(session: Session, typed: string, flags: HistoryFlags): Promise<ExitCode> {
  const [{ findRunId }, { loadHistory }, { renderHistory }] = await Promise.all([
    import("../find-run.ts"),
    import("@fanfold/engine"),
    import("../view/history-text.ts"),
  ]);
  const revisions = await loadHistory(session.engine, await findRunId(session.store, typed), flags.phase);
  if (flags.json === true) for (const revision of revisions) print(JSON.stringify(revision));
  else print(renderHistory(revisions, styleOf(process.stdout)));
  return EXIT.ok;
}

interface DiffRequest {
  readonly revisions: readonly string[];
  readonly isJson: boolean;
}

async function diff(session: Session, typed: string, { revisions, isJson: json }: DiffRequest): Promise<ExitCode> {
  const scope = parseRevisions(revisions);
  const [{ findRunId }, { diffRevisions }, { renderRevisionDiffs }] = await Promise.all([
    import("../find-run.ts"),
    import("@fanfold/engine"),
    import("../view/diff-text.ts"),
  ]);
  const diffs = await diffRevisions(session.engine, await findRunId(session.store, typed), scope);
  print(json ? JSON.stringify(diffs) : renderRevisionDiffs(diffs, styleOf(process.stdout)));
  return EXIT.ok;
}

async function compare(
  session: Session,
  typed: string,
  { other, isJson: json }: { other: string; isJson: boolean },
): Promise<ExitCode> {
  const [{ findRunId }, { loadReport }, { compareRuns, renderComparison }] = await Promise.all([
    import("../find-run.ts"),
    import("../report-document.ts"),
    import("../view/comparison-text.ts"),
  ]);
  const nowMs = Date.now();
  const [before, after] = [
    await loadReport(session, await findRunId(session.store, typed), nowMs),
    await loadReport(session, await findRunId(session.store, other), nowMs),
  ];
  const comparison = compareRuns(before, after);
  print(json ? JSON.stringify(comparison) : renderComparison(comparison, styleOf(process.stdout)));
  return EXIT.ok;
}
