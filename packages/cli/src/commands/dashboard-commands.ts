import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Command } from "commander";
import { asCliErrors, type DashboardFlags, dashboardSettings } from "../dashboard-settings.ts";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { wholeNumber } from "../options.ts";
import type { Session } from "../session.ts";
import { print } from "../terminal.ts";
import { withSession } from "../with-session.ts";
import { openServiceLog, serve } from "./service-commands.ts";

/** Shortest password that gets a hash, in characters. */
const MIN_PASSWORD_CHARS = 8;

/** `dashboard`, and `user`: who may use it. */
export function addDashboardCommands(program: Command): void {
  const dashboard = program
    .command("dashboard")
    .description("show the runs and queues of a deployment in a browser, with an API for programs");
  addDashboardOptions(dashboard)
    .option("--host <address>", "address to listen on; others need users (default: 127.0.0.1)")
    .option("--base-path <path>", "path below which everything is, such as /fanfold")
    .option("--trust-proxy", "believe what the nearest proxy says in X-Forwarded-… headers")
    .action((_flags, command: Command) =>
      withSession(command, (session) => runDashboard(session, command.opts<DashboardFlags>())),
    );
  program
    .command("user")
    .argument("<action>", "hash: print the hash of a password")
    .description("make entries for FANFOLD_USERS; reads the password from standard input, or asks for it")
    .action(async (action: string) => {
      if (action !== "hash") throw new CliError(EXIT.usage, `user ${action}: the only action is \`fanfold user hash\``);
      const { hashPassword } = await import("@fanfold/dashboard");
      print(await hashPassword(checkPassword(await readPassword())));
    });
}

/** The option that every command with a dashboard has. */
export function addDashboardOptions(command: Command): Command {
  return command.option("--port <n>", "port to listen on; 0 takes a free one (default: 3000)", wholeNumber(0));
}

async function runDashboard(session: Session, flags: DashboardFlags): Promise<ExitCode> {
  const [{ DashboardService }, { openLog }] = await Promise.all([
    import("@fanfold/dashboard"),
    import("../local-services.ts"),
  ]);
  await asCliErrors(async () => {
    const dashboard = new DashboardService(
      session.engine,
      dashboardSettings(flags, process.env),
      openServiceLog(session, openLog),
    );
    await serve(dashboard, () => print(dashboard.url));
  });
  return EXIT.ok;
}

/** The first line of standard input; what is typed at a terminal is not shown. */
async function readPassword(): Promise<string> {
  const isTyped = process.stdin.isTTY;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (isTyped) process.stderr.write("password: ");
  const reader = createInterface({ input: process.stdin, output: silent, terminal: isTyped });
  try {
    for await (const line of reader) return line;
    return "";
  } finally {
    reader.close();
    if (isTyped) process.stderr.write("\n");
  }
}

function checkPassword(password: string): string {
  if (password.length >= MIN_PASSWORD_CHARS) return password;
  throw new CliError(EXIT.usage, `a password needs at least ${MIN_PASSWORD_CHARS} characters`);
}
