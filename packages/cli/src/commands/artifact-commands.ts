import type { LineageDirection } from "@fanfold/schemas";
import { type Command, Option } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import { print } from "../terminal.ts";
import { withSession } from "../with-session.ts";

const RUN_ARGUMENT = "id of a run, the beginning of one, or @latest";
const ARTIFACT_ARGUMENT = "id of an artifact, or PHASE/NAME, PHASE@r2/NAME, PHASE[3]/NAME, NAME";
/** Artifacts that a list shows when nobody says how many. */
const SHOWN = 100;

/** `artifacts ls|get|cat|verify` and `lineage`. */
export function addArtifactCommands(program: Command): void {
  const artifacts = program.command("artifacts").description("list, fetch and check what a run has made");
  artifacts
    .command("ls")
    .argument("<run>", RUN_ARGUMENT)
    .description("list outputs, collected files, logs and what failures left")
    .option("--phase <phase>", "only this phase")
    .option("--shard <n>", "only this shard", wholeNumber(0))
    .option("--type <type>", "only artifacts of this type, such as file, log or error_context")
    .option("--outputs", "only what belongs to phases as a whole, not to shards of theirs")
    .option("-n, --limit <n>", "most artifacts to list", wholeNumber(1), SHOWN)
    .option("--cursor <cursor>", "go on after the list that named it")
    .option("--json", "print JSON lines")
    .action(withRun(listRun));
  artifacts
    .command("get")
    .argument("<run>", RUN_ARGUMENT)
    .argument("<artifact>", ARTIFACT_ARGUMENT)
    .description("write an artifact to a file, verified")
    .option("-o, --output <file>", "where to (default: its name in the current directory)")
    .action(withArtifact(getArtifact));
  artifacts
    .command("cat")
    .argument("<run>", RUN_ARGUMENT)
    .argument("<artifact>", ARTIFACT_ARGUMENT)
    .description("print the bytes of an artifact")
    .action(withArtifact(catArtifact));
  artifacts
    .command("verify")
    .argument("<run>", RUN_ARGUMENT)
    .description("read all artifacts and compare them with their hashes")
    .option("--phase <phase>", "only this phase")
    .option("--json", "print one JSON object")
    .action(withRun(verifyRun));
  program
    .command("lineage")
    .argument("<run>", RUN_ARGUMENT)
    .argument("[what]", "a phase, PHASE@r2, or an artifact; all of the run when missing")
    .description("show what was made from what, by what attempts were given")
    .option("--up", "only what it was made from")
    .option("--down", "only what was made of it")
    .addOption(new Option("--format <format>", "how to print it").choices(["text", "mermaid", "json"]).default("text"))
    .action(withArtifact(showLineage));
}

/** Flags of these commands. */
export interface ArtifactFlags {
  readonly phase?: string;
  readonly shard?: number;
  readonly type?: string;
  readonly outputs?: boolean;
  readonly limit: number;
  readonly cursor?: string;
  readonly json?: boolean;
  readonly output?: string;
  readonly up?: boolean;
  readonly down?: boolean;
  readonly format?: string;
}

type RunAction = (session: Session, runId: string, flags: ArtifactFlags) => Promise<ExitCode>;
type ArtifactAction = (
  session: Session,
  at: { readonly runId: string; readonly what: string | undefined },
  flags: ArtifactFlags,
) => Promise<ExitCode>;

function withRun(action: RunAction): (run: string, flags: unknown, command: Command) => Promise<void> {
  return (run, _flags, command) =>
    withSession(command, async (session) => {
      const { findRunId } = await import("../find-run.ts");
      return action(session, await findRunId(session.store, run), command.opts<ArtifactFlags>());
    });
}

function withArtifact(
  action: ArtifactAction,
): (run: string, what: string | undefined, flags: unknown, command: Command) => Promise<void> {
  return (run, what, _flags, command) =>
    withSession(command, async (session) => {
      const { findRunId } = await import("../find-run.ts");
      const runId = await findRunId(session.store, run);
      return action(session, { runId, what }, command.opts<ArtifactFlags>());
    });
}

const listRun: RunAction = async (session, runId, flags) => {
  const { printArtifacts } = await import("../artifact-files.ts");
  await printArtifacts(session, runId, flags);
  return EXIT.ok;
};

const getArtifact: ArtifactAction = async (session, { runId, what = "" }, { output }) => {
  const { writeArtifact } = await import("../artifact-files.ts");
  print(await writeArtifact(session, { runId, what }, output));
  return EXIT.ok;
};

const catArtifact: ArtifactAction = async (session, { runId, what = "" }) => {
  const { printArtifact } = await import("../artifact-files.ts");
  await printArtifact(session, { runId, what });
  return EXIT.ok;
};

const verifyRun: RunAction = async (session, runId, { phase, json = false }) => {
  const { verifyArtifacts, verificationText } = await import("../verify-artifacts.ts");
  const verified = await verifyArtifacts(session, runId, phase);
  print(json ? JSON.stringify(verified) : verificationText(verified));
  return verified.bad.length === 0 ? EXIT.ok : EXIT.environment;
};

const showLineage: ArtifactAction = async (session, { runId, what }, { up, down, format }) => {
  const [{ gatherLineage, lineageRoots }, { lineageMermaid, lineageText }] = await Promise.all([
    import("@fanfold/engine"),
    import("@fanfold/core"),
  ]);
  const direction: LineageDirection = up === down ? "both" : up === true ? "up" : "down";
  const roots = what === undefined ? [] : await lineageRoots(session.engine, runId, what);
  const lineage = await gatherLineage(session.engine, runId, roots, direction);
  if (format === "json") print(JSON.stringify(lineage));
  else process.stdout.write(format === "mermaid" ? lineageMermaid(lineage) : lineageText(lineage));
  return EXIT.ok;
};
