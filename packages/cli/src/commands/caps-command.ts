import { type Command, Option } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { wholeNumber } from "../options.ts";
import { parseRate } from "../parse-rate.ts";
import type { Session } from "../session.ts";
import { print, styleOf } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** `caps`, with `set` and `clear`: what limits how much runs at once, and who fills it. */
export function addCapsCommand(program: Command): void {
  const caps = program
    .command("caps")
    .argument("[run]", "only the caps that concern this run")
    .description("list every cap: its limit, who fills it, how much waits")
    .option("--json", "print one JSON array")
    .action((run: string | undefined, flags: { json?: boolean }, command: Command) =>
      withSession(command, (session) => listAll(session, run, flags.json ?? false)),
    );
  caps
    .command("set")
    .argument("<kind>", "key or pool")
    .argument("<name>", "name of the concurrency key or the pool")
    .argument("[limit]", "of a key: shards at once", wholeNumber(1))
    .description("limit a concurrency key or a pool for the whole deployment, at once")
    .addOption(new Option("--concurrency <n>", "of a pool: shards at once, over all workers").argParser(wholeNumber(1)))
    .addOption(new Option("--rate <n/time>", "of a pool: starts in a time, such as 10/1s").argParser(parseRate))
    .action((kind: string, name: string, ...[limit, flags, command]: [number | undefined, PoolLimits, Command]) =>
      withSession(command, (session) => setCap(session, { kind, name, limit, flags })),
    );
  caps
    .command("clear")
    .argument("<kind>", "key or pool")
    .argument("<name>", "name of the concurrency key or the pool")
    .description("take back what `caps set` set")
    .action((kind: string, name: string, _flags, command: Command) =>
      withSession(command, (session) => clearCap(session, kind, name)),
    );
}

interface PoolLimits {
  readonly concurrency?: number;
  readonly rate?: ReturnType<typeof parseRate>;
}

async function listAll(session: Session, run: string | undefined, isJson: boolean): Promise<ExitCode> {
  const [{ listCaps }, { findRunId }, { renderCaps }] = await Promise.all([
    import("@fanfold/engine"),
    import("../find-run.ts"),
    import("../view/caps-text.ts"),
  ]);
  const runId = run === undefined ? undefined : await findRunId(session.store, run);
  const caps = await listCaps(session.engine, runId);
  print(isJson ? JSON.stringify(caps) : renderCaps(caps, styleOf(process.stdout)));
  return EXIT.ok;
}

interface CapChange {
  readonly kind: string;
  readonly name: string;
  readonly limit: number | undefined;
  readonly flags: PoolLimits;
}

async function setCap(session: Session, { kind, name, limit, flags }: CapChange): Promise<ExitCode> {
  const isOfPool = flags.concurrency !== undefined || flags.rate !== undefined;
  if (kind === "key" && limit !== undefined && !isOfPool) {
    await checkName(kind, name);
    await session.engine.keys.limit(name, limit);
    print(`concurrency key ${name}: ${limit}`);
    return EXIT.ok;
  }
  if (kind !== "pool" || limit !== undefined || !isOfPool) {
    const usage = "caps set key NAME LIMIT, or: caps set pool NAME --concurrency N --rate N/TIME";
    throw new CliError(EXIT.usage, `write: ${usage}`);
  }
  await checkName(kind, name);
  await session.store.pools.limit(name, flags);
  print(`pool ${name} is limited`);
  return EXIT.ok;
}

async function clearCap(session: Session, kind: string, name: string): Promise<ExitCode> {
  if (kind !== "key" && kind !== "pool") throw new CliError(EXIT.usage, "write: caps clear key|pool NAME");
  await checkName(kind, name);
  if (kind === "key") await session.engine.keys.limit(name, undefined);
  else await session.store.pools.clear(name);
  print(kind === "key" ? `concurrency key ${name}: as plans say` : `pool ${name} is not limited`);
  return EXIT.ok;
}

async function checkName(kind: "key" | "pool", name: string): Promise<void> {
  const { ConcurrencyKeySchema, PoolNameSchema } = await import("@fanfold/schemas");
  const schema = kind === "key" ? ConcurrencyKeySchema : PoolNameSchema;
  if (!schema.safeParse(name).success)
    throw new CliError(EXIT.usage, `${JSON.stringify(name)} is not a name of a ${kind}`);
}
