import { collectGarbage, type RemovedRun, type RunEngine, systemClock } from "@fanfold/engine";
import type { SchedulerJob } from "@fanfold/schemas";
import { jobIds } from "@fanfold/store";
import type { Logger } from "pino";

/** How often runs beyond the limits are looked for, in ms. */
const COLLECT_EVERY_MS = 3_600_000;

/** What a scheduler keeps of the runs that are over; see `expiredRuns` of the core for how the limits combine. */
export interface RetentionSettings {
  readonly keepRuns?: number;
  readonly keepDays?: number;
  /** An hour when missing. */
  readonly everyMs?: number;
  /** Called on the scheduler that removed a run: for files of its own machine. */
  readonly onRemoved?: (runId: string) => Promise<void>;
}

/**
 * Asks for a collection at the start and then once a period. All schedulers ask for the same job of a period, so one
 * of them does it. When the last one with limits is gone, nothing asks any more.
 */
export class RetentionTimer {
  readonly #engine: RunEngine;
  readonly #log: Logger;
  readonly #settings: RetentionSettings;
  #timer: NodeJS.Timeout | undefined;

  constructor(engine: RunEngine, log: Logger, settings: RetentionSettings) {
    this.#engine = engine;
    this.#log = log;
    this.#settings = settings;
  }

  get onRemoved(): RetentionSettings["onRemoved"] {
    return this.#settings.onRemoved;
  }

  async start(): Promise<void> {
    const { everyMs = COLLECT_EVERY_MS } = this.#settings;
    this.#timer = setInterval(() => {
      this.#ask(everyMs).catch((err: unknown) => this.#log.warn({ err }, "cannot ask for a collection"));
    }, everyMs);
    await this.#ask(everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #ask(everyMs: number): Promise<void> {
    const { keepRuns, keepDays } = this.#settings;
    const data: SchedulerJob = {
      kind: "collect",
      ...(keepRuns === undefined ? {} : { keep_runs: keepRuns }),
      ...(keepDays === undefined ? {} : { keep_days: keepDays }),
    };
    const slot = Math.floor(systemClock.nowMs() / everyMs);
    await this.#engine.store.queues.addSchedulerJob(jobIds.collect(slot), data);
  }
}

/** Removes what is beyond the limits of a job, and logs what that was. A failure is logged: the next period tries again. */
export async function collect(
  engine: RunEngine,
  log: Logger,
  limits: CollectJob,
  onRemoved: RetentionSettings["onRemoved"],
): Promise<void> {
  try {
    await collectOnce(engine, log, limits, onRemoved);
  } catch (err) {
    log.error({ err }, "collection failed");
  }
}

type CollectJob = Extract<SchedulerJob, { kind: "collect" }>;

async function collectOnce(
  engine: RunEngine,
  log: Logger,
  { keep_runs, keep_days }: CollectJob,
  onRemoved: RetentionSettings["onRemoved"],
): Promise<void> {
  const { runs, skipped, keys, artifacts } = await collectGarbage(engine, {
    ...(keep_runs === undefined ? {} : { keepRuns: keep_runs }),
    ...(keep_days === undefined ? {} : { keepDays: keep_days }),
    onRemoved: async ({ runId, keys: ofRun }: RemovedRun) => {
      log.info({ run_id: runId, keys: ofRun }, "run removed");
      await onRemoved?.(runId);
    },
  });
  for (const { runId, why } of skipped) log.warn({ run_id: runId, why }, "run not removed; the next collection tries");
  for (const { label, entry } of artifacts.sharedWith) {
    log.warn({ deployment: label, entry }, "artifacts not removed: another deployment uses their store");
  }
  const { files, bytes, leftovers } = artifacts;
  log.info({ runs: runs.length, keys, files, bytes, leftover_files: leftovers.files }, "collection done");
}
