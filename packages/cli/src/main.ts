import { CommanderError } from "commander";
import { EXIT, findExitCode } from "./exit-codes.ts";
import { buildProgram } from "./program.ts";
import { say } from "./terminal.ts";

/** Runs the `fanfold` command; the outcome is the process's exit code. Never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on("error", leaveOnClosedPipe);
  try {
    await buildProgram().parseAsync(argv);
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}

function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const exitCode = findExitCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (exitCode !== undefined) {
    say(`fanfold: ${message}`);
    return exitCode;
  }
  say(`fanfold: unexpected error: ${message}`);
  if (process.env.FANFOLD_DEBUG && error instanceof Error) say(error.stack ?? "");
  else say("set FANFOLD_DEBUG=1 to see where it happened, and please report it");
  return EXIT.environment;
}

/** `fanfold events … | head` ends quietly. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
}
