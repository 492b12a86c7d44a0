import { type Command, Option } from "commander";
import type { Logger } from "pino";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { collectText, DEFAULT_CONCURRENCY, notNegative, seconds, wholeNumber } from "../options.ts";
import type { RuleFlags } from "../local-services.ts";
import type { Session } from "../session.ts";
import { say } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** Seconds that the shards of a worker that is to stop may go on. */
const DEFAULT_DRAIN_SEC = 30;
/** Longest time from a second signal to the end, in ms: what runs is killed, and given back if that is quick. */
const ABORT_MS = 2_000;

/** `scheduler`, `worker`: the processes of a deployment that do its work. */
export function addServiceCommands(program: Command): void {
  program
    .command("scheduler")
    .description("expand and advance the runs of a deployment; start as many as you like")
    .option("--keep-runs <n>", "remove ended runs but the latest n (default: FANFOLD_KEEP_RUNS)", wholeNumber(0))
    .option("--keep-days <d>", "remove runs that ended over d days ago (default: FANFOLD_KEEP_DAYS)", notNegative)
    .action((_flags, command: Command) =>
      withSession(command, async (session) => {
        const [{ SchedulerService }, { openLog }, { retentionSettings }] = await Promise.all([
          import("@fanfold/scheduler"),
          import("../local-services.ts"),
          import("../retention.ts"),
        ]);
        await session.store.artifacts.check();
        const retention = retentionSettings(command.opts(), session.config.stateDir);
        const scheduler = new SchedulerService(session.engine, openServiceLog(session, openLog), retention);
        await serve(scheduler);
        return EXIT.ok;
      }),
    );
  addWorkerCommand(program);
}

function addWorkerCommand(program: Command): void {
  const worker = program
    .command("worker")
    .description("run shards and fold outputs; start as many as you like")
    .option("-c, --concurrency <n>", "shards executed at once", wholeNumber(1), DEFAULT_CONCURRENCY)
    .option("--pool <name>", "pool to serve; may be repeated (default: default)", collectText, [])
    .option("--name <name>", "name of this worker in journals")
    .option("--allow-command <name>", "command that plans may run, by name or path; may be repeated", collectText, [])
    .option("--handlers-dir <dir>", "load handlers only from inside this directory")
    .option("--pass-env <name>", "variable that commands inherit, such as AWS_*; may be repeated", collectText, [])
    .addOption(
      new Option("--drain-sec <n>", "seconds that shards may go on when the worker is to stop")
        .env("FANFOLD_DRAIN_SEC")
        .argParser(seconds)
        .default(DEFAULT_DRAIN_SEC),
    )
    .action((_flags, command: Command) =>
      withSession(command, (session) => runWorker(session, command.opts<WorkerFlags>())),
    );
  worker
    .command("drain")
    .argument("<name>", "name of a worker that is connected")
    .description("ask a worker to stop: it finishes what it has, takes nothing new, and exits")
    .action((name: string, _flags, command: Command) => withSession(command, (session) => drainWorker(session, name)));
}

async function drainWorker({ store }: Session, name: string): Promise<ExitCode> {
  const pools = await store.pools.listWorkers();
  const names = [...new Set([...(pools?.values() ?? [])].flat())];
  // where the server does not tell who is connected, whoever has the name is asked
  if (pools !== undefined && !names.includes(name)) {
    const known = names.length === 0 ? "there is none" : `there are ${names.join(", ")}`;
    throw new CliError(EXIT.notFound, `no worker ${name} is connected; ${known}`);
  }
  await store.drains.request(name);
  say(`asked ${name} to finish what it has and to exit`);
  return EXIT.ok;
}

interface WorkerFlags extends RuleFlags {
  readonly concurrency: number;
  readonly pool: string[];
  readonly name?: string;
  readonly drainSec: number;
}

async function runWorker(session: Session, flags: WorkerFlags): Promise<ExitCode> {
  const [{ WorkerService }, { openLog, surviveStrayRejections, workerSettings }] = await Promise.all([
    import("@fanfold/worker"),
    import("../local-services.ts"),
  ]);
  await session.store.artifacts.check();
  const { concurrency, pool, name, drainSec, ...rules } = flags;
  const pools = pool.length === 0 ? ["default"] : pool;
  const settings = {
    ...workerSettings(session, { concurrency, pools, rules }),
    ...(name === undefined ? {} : { name }),
    drainMs: drainSec * 1000,
  };
  const log = openServiceLog(session, openLog);
  surviveStrayRejections(log);
  const worker = new WorkerService(session.engine, settings, log);
  await serve({
    start: () => worker.start(),
    stop: () => worker.stop({ drainMs: drainSec * 1000 }),
    abort: () => worker.abort(),
    askedToStop: worker.draining,
  });
  return EXIT.ok;
}

/** The log of a service, which then tells of Redis, too. */
export function openServiceLog(session: Session, openLog: (level: string) => Logger): Logger {
  const log = openLog("info");
  session.onRedisNotice(({ state, message }) => log[state === "trouble" ? "warn" : "info"](message));
  return log;
}

/** What {@link serve} runs. */
export interface Service {
  start(): Promise<void>;
  /** Takes nothing new, and resolves when nothing is left. */
  stop(): Promise<void>;
  /** Ends what runs at once; `stop` resolves soon after it. */
  abort?(): void;
  /** Resolves when it is to stop for another reason than a signal. */
  readonly askedToStop?: Promise<void>;
}

/**
 * Runs a service until SIGTERM or SIGINT, or until it is asked to stop otherwise, then lets it stop. A second signal ends what runs at once, and leaves when
 * that is done, at most {@link ABORT_MS} later; a third one leaves.
 */
export async function serve(service: Service, onReady: () => void = () => undefined): Promise<void> {
  let signals = 0;
  let stopped: Promise<void> | undefined;
  const asked = new Promise<void>((resolve) => {
    const onSignal = (): void => {
      signals += 1;
      if (signals === 1) {
        say("stopping: letting what runs finish; a second signal stops at once");
        return resolve();
      }
      if (signals > 2 || service.abort === undefined) process.exit(EXIT.cancelled);
      service.abort();
      setTimeout(() => process.exit(EXIT.cancelled), ABORT_MS);
      void stopped?.then(() => process.exit(EXIT.cancelled));
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
    void service.askedToStop?.then(() => resolve());
  });
  await service.start();
  onReady();
  await asked;
  stopped = service.stop();
  await stopped;
}
