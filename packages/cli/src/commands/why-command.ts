import type { PlanGraph, WhyScope } from "@fanfold/core";
import type { Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import type { Session } from "../session.ts";
import { print, styleOf } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** `why`: one reason for each thing of a run that is not running. */
export function addWhyCommand(program: Command): void {
  program
    .command("why")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .argument("[what]", "a phase, or a shard such as compile[3]")
    .description("say why phases and shards of a run are not running")
    .option("--json", "print one JSON array")
    .action((run: string, what: string | undefined, flags: { json?: boolean }, command: Command) =>
      withSession(command, (session) => explain(session, { run, what, isJson: flags.json ?? false })),
    );
}

interface Question {
  readonly run: string;
  readonly what: string | undefined;
  readonly isJson: boolean;
}

async function explain(session: Session, { run, what, isJson }: Question): Promise<ExitCode> {
  const [{ explainWaits }, { gatherWhyFacts, systemClock }, { findRunId }, { renderWhy }] = await Promise.all([
    import("@fanfold/core"),
    import("@fanfold/engine"),
    import("../find-run.ts"),
    import("../view/why-text.ts"),
  ]);
  const runId = await findRunId(session.store, run);
  const { graph } = await session.engine.plan(runId);
  const scope = what === undefined ? {} : readScope(graph, what);
  const reasons = explainWaits(await gatherWhyFacts(session.engine, runId, systemClock), scope);
  print(isJson ? JSON.stringify(reasons) : renderWhy(reasons, styleOf(process.stdout)));
  return EXIT.ok;
}

/** A phase's id may end in brackets itself, so what is a phase is one. */
function readScope({ ids }: PlanGraph, what: string): WhyScope {
  if (ids.includes(what)) return { phase: what };
  const [, phase, shard] = /^(.+)\[(\d+)\]$/.exec(what) ?? [];
  if (phase !== undefined && ids.includes(phase)) return { phase, shard: Number(shard) };
  throw new CliError(EXIT.notFound, `the run has no phase ${what}; it has ${ids.slice(0, 10).join(", ")}`);
}
