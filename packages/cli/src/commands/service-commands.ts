import type { DashboardErrorCode } from "@fanfold/dashboard";
import type { Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { collectText, DEFAULT_CONCURRENCY, wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import { print, say } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** `scheduler`, `worker`, `dashboard`: the processes of a deployment. */
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
  addDashboardCommand(program);
}

function addDashboardCommand(program: Command): void {
  program
    .command("dashboard")
    .description("show the queues of a deployment in a browser, and retry there what failed")
    .option("--port <n>", "port to listen on; 0 takes a free one (default: 3000)", wholeNumber(0))
    .option("--host <address>", "address to listen on; others need FANFOLD_DASHBOARD_UNSAFE=1 (default: 127.0.0.1)")
    .action((_flags, command: Command) =>
      withSession(command, (session) => runDashboard(session, command.opts<DashboardFlags>())),
    );
}

interface DashboardFlags {
  readonly port?: number;
  readonly host?: string;
}

const DASHBOARD_EXITS: Record<DashboardErrorCode, ExitCode> = {
  UNSAFE_HOST: EXIT.usage,
  ADDRESS_UNUSABLE: EXIT.environment,
};

async function runDashboard(session: Session, { port, host }: DashboardFlags): Promise<ExitCode> {
  const [{ DashboardError, DashboardService }, { openLog }] = await Promise.all([
    import("@fanfold/dashboard"),
    import("../local-services.ts"),
  ]);
  const isUnsafeAllowed = process.env.FANFOLD_DASHBOARD_UNSAFE === "1";
  const settings = {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    isUnsafeAllowed,
  };
  const dashboard = new DashboardService(session.engine, settings, openLog("info"));
  try {
    await serve(dashboard, () => print(dashboard.url));
  } catch (error) {
    if (error instanceof DashboardError)
      throw new CliError(DASHBOARD_EXITS[error.code], error.message, { cause: error });
    throw error;
  }
  return EXIT.ok;
}

interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs a service until SIGTERM or SIGINT, then lets it finish what it has begun; a second signal leaves at once. */
async function serve(service: Service, onReady: () => void = () => undefined): Promise<void> {
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
  onReady();
  await asked;
  await service.stop();
}
