import { join, resolve } from "node:path";
import { SchedulerService } from "@fanfold/scheduler";
import { type WorkerRules, WorkerService, type WorkerSettings } from "@fanfold/worker";
import pino, { type Logger } from "pino";
import type { Session } from "./session.ts";

/** Services inside this process. */
export interface LocalServices {
  readonly worker: WorkerService;
  stop(): Promise<void>;
}

/** How {@link startLocalServices} sets its worker up. */
export interface LocalServiceOptions {
  readonly concurrency: number;
  readonly pools: readonly string[];
  /** What the command line says of the rules; it wins over the environment. */
  readonly rules?: RuleFlags;
}

/** Flags of a worker that say what it allows. */
export interface RuleFlags {
  readonly allowCommand: readonly string[];
  readonly handlersDir?: string;
  readonly passEnv: readonly string[];
}

/** Starts a scheduler and a worker in this process: what `fanfold run` needs when it is alone. */
export async function startLocalServices(session: Session, options: LocalServiceOptions): Promise<LocalServices> {
  await session.store.artifacts.check();
  const log = openLog("silent");
  surviveStrayRejections(log);
  const scheduler = new SchedulerService(session.engine, log);
  const worker = new WorkerService(session.engine, workerSettings(session, options), log);
  await Promise.all([scheduler.start(), worker.start()]);
  return {
    worker,
    async stop() {
      await Promise.all([worker.stop(), scheduler.stop()]);
    },
  };
}

/** Settings of a worker in this session's workspace. */
export function workerSettings(session: Session, { concurrency, pools, rules }: LocalServiceOptions): WorkerSettings {
  const { workspaceDir, stateDir } = session.config;
  return {
    concurrency,
    pools: [...new Set(pools)],
    workspaceDir,
    scratchDir: join(stateDir, "work"),
    rules: workerRules(rules ?? { allowCommand: [], passEnv: [] }, process.env),
  };
}

/** What a worker allows: flags first, the environment second. */
function workerRules(flags: RuleFlags, env: NodeJS.ProcessEnv): WorkerRules {
  const handlersDir = flags.handlersDir ?? env.FANFOLD_HANDLERS_DIR;
  return {
    allowedCommands: listOf(flags.allowCommand, env.FANFOLD_ALLOW_COMMANDS),
    handlersDir: handlersDir ? resolve(handlersDir) : null,
    passedEnv: listOf(flags.passEnv, env.FANFOLD_PASS_ENV),
  };
}

/** Values of a flag, or of a variable in which they stand apart by commas; null when neither is there. */
function listOf(flags: readonly string[], variable: string | undefined): string[] | null {
  if (flags.length > 0) return [...flags];
  const values = (variable ?? "").split(",").map((value) => value.trim());
  const named = values.filter((value) => value !== "");
  return named.length > 0 ? named : null;
}

/** A promise that a handler forgot must not end the worker and everything else it runs. */
export function surviveStrayRejections(log: Logger): void {
  process.on("unhandledRejection", (err) => log.error({ err }, "unhandled rejection, probably in a handler"));
}

/** Structured log on standard error; `FANFOLD_LOG_LEVEL` overrides the level. */
export function openLog(level: string): Logger {
  return pino({ level: process.env.FANFOLD_LOG_LEVEL ?? level }, pino.destination({ fd: 2, sync: true }));
}
