import type { Command } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import type { Session } from "./session.ts";
import type { GlobalFlags } from "./session-config.ts";

/** Opens the session a command's flags ask for, runs the command, closes it, and sets the exit code. */
export async function withSession(command: Command, action: (session: Session) => Promise<ExitCode>): Promise<void> {
  const { openSession } = await import("./session.ts");
  const session = await openSession(command.optsWithGlobals<GlobalFlags>());
  try {
    process.exitCode = await action(session);
  } finally {
    await session.close();
  }
}
