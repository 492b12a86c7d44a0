import type { Command } from "commander";
import { EXIT } from "../exit-codes.ts";
import { collectText, DEFAULT_CONCURRENCY, wholeNumber } from "../options.ts";
import { print, say } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** `scheduler`, `worker`, `cancel`: the processes of a deployment, and the order to stop a run. */
export function addServiceCommands(program: Command): void {
  program
    .command("scheduler")
    .description("expand and advance the runs of a deployment; start as many as you like")
    .action((_flags, command: Command) =>
      withSession(command, async (session) => {
        const [{ SchedulerService }, { openLog }] = await Promise.all([
          import("@fanfold/scheduler"),
          import("../local-services.ts"),
        ]);
        const scheduler = new SchedulerService(session.engine, openLog("info"));
        await serve(scheduler);
        return EXIT.ok;
      }),
    );
  program
    .command("worker")
    .description("run shards and fold outputs; start as many as you like")
    .option("-c, --concurrency <n>", "shards executed at once", wholeNumber(1), DEFAULT_CONCURRENCY)
    .option("--pool <name>", "pool to serve; may be repeated (default: default)", collectText, [])
    .option("--name <name>", "name of this worker in journals")
    .action((_flags, command: Command) =>
      withSession(command, async (session) => {
        const [{ WorkerService }, { openLog, surviveStrayRejections, workerSettings }] = await Promise.all([
          import("@fanfold/worker"),
          import("../local-services.ts"),
        ]);
        const { concurrency, pool, name } = command.opts<{ concurrency: number; pool: string[]; name?: string }>();
        const pools = pool.length === 0 ? ["default"] : pool;
        const settings = {
          ...workerSettings(session, { concurrency, pools }),
          ...(name === undefined ? {} : { name }),
        };
        const log = openLog("info");
        surviveStrayRejections(log);
        await serve(new WorkerService(session.engine, settings, log));
        return EXIT.ok;
      }),
    );
  program
    .command("cancel")
    .argument("<run>", "id of a run, the beginning of one, or @latest")
    .description("cancel a run: nothing new starts, what runs is killed")
    .action((run: string, _flags, command: Command) =>
      withSession(command, async (session) => {
        const { findRunId } = await import("../find-run.ts");
        const runId = await findRunId(session.store, run);
        const { status } = await session.engine.cancel(runId, "cli");
        print(status === "cancelled" ? `${runId} is cancelled` : `${runId} is being cancelled`);
        return EXIT.ok;
      }),
    );
}

interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs a service until SIGTERM or SIGINT, then lets it finish what it has begun; a second signal leaves at once. */
async function serve(service: Service): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    let isAsked = false;
    const onSignal = (): void => {
      if (isAsked) process.exit(EXIT.cancelled);
      isAsked = true;
      say("stopping: letting what runs finish; a second signal stops at once");
      resolve();
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
  await service.start();
  await asked;
  await service.stop();
}
