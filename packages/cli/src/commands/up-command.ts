import type { Command } from "commander";
import { asCliErrors, dashboardSettings } from "../dashboard-settings.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { LocalServices } from "../local-services.ts";
import { collectText, DEFAULT_CONCURRENCY, wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import { print, say } from "../terminal.ts";
import { withSession } from "../with-session.ts";
import { addDashboardOptions } from "./dashboard-commands.ts";
import { serve } from "./service-commands.ts";

interface UpFlags {
  readonly port?: number;
  readonly concurrency: number;
  readonly pool: string[];
}

/** `up`: a whole deployment in one process. */
export function addUpCommand(program: Command): void {
  const up = program
    .command("up")
    .description(
      "start a scheduler, a worker and the dashboard in one process, on the embedded Redis without REDIS_URL",
    );
  addDashboardOptions(up)
    .option("-c, --concurrency <n>", "shards executed at once", wholeNumber(1), DEFAULT_CONCURRENCY)
    .option("--pool <name>", "pool to serve; may be repeated (default: default)", collectText, [])
    .action((_flags, command: Command) =>
      withSession(command, (session) => asCliErrors(() => runAll(session, command.opts<UpFlags>()))),
    );
}

async function runAll(session: Session, { port, concurrency, pool }: UpFlags): Promise<ExitCode> {
  const [{ DashboardService }, { openLog, startLocalServices }] = await Promise.all([
    import("@fanfold/dashboard"),
    import("../local-services.ts"),
  ]);
  const settings = dashboardSettings(port === undefined ? {} : { port }, process.env);
  const dashboard = new DashboardService(session.engine, settings, openLog("warn"));
  let services: LocalServices | undefined;
  const deployment = {
    // the dashboard first: when its port is taken nothing else has been started
    start: async () => {
      await dashboard.start();
      services = await startLocalServices(session, { concurrency, pools: ["default", ...pool] });
    },
    stop: async () => {
      await dashboard.stop();
      await services?.stop();
    },
    abort: () => services?.worker.abort(),
  };
  await serve(deployment, () => {
    print(dashboard.url);
    say("scheduler, worker and dashboard are up; Ctrl-C stops them");
  });
  return EXIT.ok;
}
