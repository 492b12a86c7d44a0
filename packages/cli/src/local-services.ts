import { join } from "node:path";
import { SchedulerService } from "@fanfold/scheduler";
import { WorkerService } from "@fanfold/worker";
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
}

/** Starts a scheduler and a worker in this process: what `fanfold run` needs when it is alone. */
export async function startLocalServices(session: Session, options: LocalServiceOptions): Promise<LocalServices> {
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
export function workerSettings(session: Session, options: LocalServiceOptions) {
  const { workspaceDir, stateDir } = session.config;
  const pools = [...new Set(options.pools)];
  return { ...options, pools, workspaceDir, scratchDir: join(stateDir, "work") };
}

/** A promise that a handler forgot must not end the worker and everything else it runs. */
export function surviveStrayRejections(log: Logger): void {
  process.on("unhandledRejection", (err) => log.error({ err }, "unhandled rejection, probably in a handler"));
}

/** Structured log on standard error; `FANFOLD_LOG_LEVEL` overrides the level. */
export function openLog(level: string): Logger {
  return pino({ level: process.env.FANFOLD_LOG_LEVEL ?? level }, pino.destination({ fd: 2, sync: true }));
}
