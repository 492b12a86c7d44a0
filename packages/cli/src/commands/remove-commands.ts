import type { Command } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { notNegative, wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import { print, say } from "../terminal.ts";
import { withSession } from "../with-session.ts";

const MINUTE_MS = 60_000;

/** `rm`, `gc`: the commands that remove what is not needed any more. */
export function addRemoveCommands(program: Command): void {
  program
    .command("rm")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .description("remove everything of a run that is over: its records, its jobs, its files")
    .option("--force", "cancel the run first when it is not over, and wait for its end")
    .option("--json", "print one JSON object")
    .action((run: string, _flags, command: Command) =>
      withSession(command, (session) => removeOne(session, run, command.opts<RemoveFlags>())),
    );
  program
    .command("gc")
    .description("remove ended runs beyond the limits, then content that no run refers to")
    .option("--keep-runs <n>", "keep the latest n runs that are over (default: FANFOLD_KEEP_RUNS)", wholeNumber(0))
    .option("--keep-days <d>", "keep runs that ended within d days (default: FANFOLD_KEEP_DAYS)", notNegative)
    .option("--grace-min <m>", "keep content that was stored within m minutes", notNegative, 60)
    .option("--dry-run", "say what would be removed, and remove nothing")
    .option("--json", "print one JSON object")
    .action((_flags, command: Command) =>
      withSession(command, (session) => collect(session, command.opts<CollectFlags>())),
    );
}

interface RemoveFlags {
  readonly force?: boolean;
  readonly json?: boolean;
}

interface CollectFlags {
  readonly keepRuns?: number;
  readonly keepDays?: number;
  readonly graceMin: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

async function removeOne(session: Session, typed: string, { force = false, json }: RemoveFlags): Promise<ExitCode> {
  const [{ findRunId }, { collectArtifacts }, { removeRunDir }, { describeSharing, removedText }] = await Promise.all([
    import("../find-run.ts"),
    import("@fanfold/engine"),
    import("../run-outputs.ts"),
    import("../view/removed-text.ts"),
  ]);
  const runId = await findRunId(session.store, typed);
  const { keys, references } = await session.engine.remove(runId, { force, actor: "cli" });
  await removeRunDir(session.config.stateDir, runId);
  const artifacts = await collectArtifacts(session.engine, { graceMs: 0, dryRun: false, only: references });
  const { files, bytes, sharedWith } = artifacts;
  for (const other of sharedWith) say(describeSharing(other));
  if (json === true) print(JSON.stringify({ run_id: runId, keys, files, bytes }));
  else print(`removed ${runId}: ${removedText({ keys, files, bytes })}`);
  return EXIT.ok;
}

async function collect(session: Session, flags: CollectFlags): Promise<ExitCode> {
  const [{ collectGarbage }, { removeRunDir }, { readRetention }, text] = await Promise.all([
    import("@fanfold/engine"),
    import("../run-outputs.ts"),
    import("../retention.ts"),
    import("../view/removed-text.ts"),
  ]);
  const { dryRun = false, graceMin, json } = flags;
  const collected = await collectGarbage(session.engine, {
    ...readRetention(flags, process.env),
    graceMs: graceMin * MINUTE_MS,
    dryRun,
    onRemoved: ({ runId }) => removeRunDir(session.config.stateDir, runId),
  });
  for (const { why } of collected.skipped) say(`not removed: ${why}`);
  for (const other of collected.artifacts.sharedWith) say(text.describeSharing(other));
  print(json === true ? JSON.stringify(text.garbageDocument(collected, dryRun)) : text.garbageText(collected, dryRun));
  return EXIT.ok;
}
