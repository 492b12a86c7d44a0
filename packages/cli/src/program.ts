import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addAdmissionCommands } from "./commands/admission-commands.ts";
import { addApproveCommand } from "./commands/approve-command.ts";
import { addArtifactCommands } from "./commands/artifact-commands.ts";
import { addCapsCommand } from "./commands/caps-command.ts";
import { addDashboardCommands } from "./commands/dashboard-commands.ts";
import { addHistoryCommands } from "./commands/history-commands.ts";
import { addPlanCommands } from "./commands/plan-commands.ts";
import { addReadCommands } from "./commands/read-commands.ts";
import { addRemoveCommands } from "./commands/remove-commands.ts";
import { addReportCommand } from "./commands/report-command.ts";
import { addRerunCommand } from "./commands/rerun-command.ts";
import { addRunCommands } from "./commands/run-commands.ts";
import { addServiceCommands } from "./commands/service-commands.ts";
import { addTemplateCommands } from "./commands/template-commands.ts";
import { addWhyCommand } from "./commands/why-command.ts";
import { addUpCommand } from "./commands/up-command.ts";

const EXIT_CODES = `
Exit codes: 0 ok · 1 the run failed · 2 wrong usage or invalid plan · 3 Redis or the environment
            4 no such run, phase or artifact · 5 not possible in the run's state · 130 cancelled

Without REDIS_URL an embedded Redis is used, with its data in .fanfold/ of the project.`;

/** The `fanfold` command. */
export function buildProgram(): Command {
  const program = new Command("fanfold")
    .description("Fan out, fold in: run plans of sharded phases on one machine or many.")
    .version(readVersion(), "-V, --version")
    .option(
      "--redis <url>",
      "Redis to use, redis:// rediss:// redis+sentinel:// or redis+cluster:// (default: REDIS_URL, else an embedded one)",
    )
    .option(
      "--artifacts <location>",
      "artifact store, file:<directory> or s3://<bucket>/<prefix> (default: FANFOLD_ARTIFACTS, else .fanfold/artifacts)",
    )
    .option("--prefix <{word}>", "key prefix of the deployment (default: FANFOLD_PREFIX, else {fanfold})")
    .option(
      "--workspace <dir>",
      "directory that plans and their scripts are in (default: FANFOLD_WORKSPACE, else the project)",
    )
    .option("--install-redis", "install redis-server with the system's package manager when there is none")
    .addHelpText("after", EXIT_CODES)
    .showSuggestionAfterError()
    .showHelpAfterError("run with --help for the usage")
    .exitOverride();
  addRunCommands(program);
  addRerunCommand(program);
  addPlanCommands(program);
  addReadCommands(program);
  addArtifactCommands(program);
  addHistoryCommands(program);
  addReportCommand(program);
  addWhyCommand(program);
  addCapsCommand(program);
  addAdmissionCommands(program);
  addApproveCommand(program);
  addTemplateCommands(program);
  addRemoveCommands(program);
  addServiceCommands(program);
  addDashboardCommands(program);
  addUpCommand(program);
  for (const command of program.commands) command.exitOverride().configureHelp({ showGlobalOptions: true });
  return program;
}

function readVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? "unknown";
}
