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
    .argument("[what...]", "a phase, or a shard such as compile[3]; with --reuse also a phase and the index of a shard")
    .description("say why phases and shards of a run are not running, or why outputs were not reused")
    .option("--reuse", "say whether earlier outputs were reused in a phase, and what differs where not")
    .option("--json", "print one JSON array, with --reuse one JSON object")
    .action((run: string, words: string[], flags: WhyFlags, command: Command) =>
      withSession(command, (session) => {
        const isReuse = flags.reuse === true;
        if (words.length > (isReuse ? 2 : 1)) throw new CliError(EXIT.usage, `too much is asked: ${words.join(" ")}`);
        const [what, index] = words;
        const question = { run, what, isJson: flags.json ?? false };
        if (!isReuse) return explain(session, question);
        return explainReuseOf(session, { ...question, shard: index === undefined ? undefined : readIndex(index) });
      }),
    );
}

function readIndex(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CliError(EXIT.usage, `the index of a shard is a whole number from 0, not ${text}`);
}

interface WhyFlags {
  readonly reuse?: boolean;
  readonly json?: boolean;
}

async function explainReuseOf(
  session: Session,
  { run, what, shard, isJson }: Question & { readonly shard: number | undefined },
): Promise<ExitCode> {
  const [{ explainReuse }, { findRunId }, { renderReuse }] = await Promise.all([
    import("@fanfold/engine"),
    import("../find-run.ts"),
    import("../view/reuse-text.ts"),
  ]);
  if (what === undefined) throw new CliError(EXIT.usage, "name the phase: fanfold why --reuse RUN PHASE [SHARD]");
  const runId = await findRunId(session.store, run);
  const scope = readScope((await session.engine.plan(runId)).graph, what);
  const index = shard ?? scope.shard;
  const place = { phase: scope.phase ?? what, ...(index === undefined ? {} : { shard: index }) };
  const reuse = await explainReuse(session.engine, runId, place);
  print(isJson ? JSON.stringify(reuse) : renderReuse(reuse, styleOf(process.stdout)));
  return EXIT.ok;
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
