import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  chooseInstall,
  describeCommand,
  describeInstall,
  INSTALL_COMMAND_NAMES,
  type InstallCommand,
  type InstallDecision,
  type InstallHost,
  type InstallSteps,
} from "./choose-install.ts";
import { EmbeddedRedisError } from "./embedded-redis-error.ts";
import { findOnPath } from "./find-on-path.ts";
import { findRedisServer, type RedisBinary } from "./find-redis-server.ts";

/** How {@link obtainRedisServer} talks to the user and to the system. */
export interface ObtainRedisServerOptions {
  /** Somebody is there to answer `ask`. */
  interactive: boolean;
  /** Puts a yes-or-no question to the user; the question names the exact commands. */
  ask: (question: string) => Promise<boolean>;
  /** Tells the user one line. */
  say: (line: string) => void;
  /** Runs a command and gives its exit code. Default: with its output on standard error. */
  run?: (command: InstallCommand) => Promise<number>;
  /** Default: the environment of this process. */
  env?: NodeJS.ProcessEnv;
  /** File that keeps the version of the binary, see `findRedisServer`. */
  cacheFile?: string;
  /** Default: what this machine is. */
  host?: InstallHost;
}

/** What a shell answers for a program that cannot be started. */
const COMMAND_NOT_FOUND = 127;
const OTHER_WAYS = "or name a server binary in FANFOLD_REDIS_SERVER, or set REDIS_URL to use a server you have";

/**
 * Finds a Redis server binary or, when there is none, installs one with the package manager of the system.
 * Each command is told before it runs; without root nothing runs before a yes.
 *
 * @throws {EmbeddedRedisError} `INSTALL_REFUSED` when it may not install here or the answer was no (the message
 *   says how to do it by hand), `INSTALL_FAILED` when the commands left no server behind, and what
 *   `findRedisServer` throws
 */
export async function obtainRedisServer(options: ObtainRedisServerOptions): Promise<RedisBinary> {
  const { env = process.env, cacheFile } = options;
  const find = () => findRedisServer(env, cacheFile === undefined ? {} : { cacheFile });
  const present = await find();
  if (present !== undefined) return present;

  const host = options.host ?? (await loadInstallHost(env, options.interactive));
  const decision = chooseInstall(host);
  if (decision.kind === "refuse" || !(await isAgreed(decision, options))) {
    throw new EmbeddedRedisError("INSTALL_REFUSED", `no redis-server on PATH; ${decision.advice}; ${OTHER_WAYS}`);
  }
  await runSteps(decision.steps, options);
  const installed = await find();
  if (installed !== undefined) return installed;
  throw installFailure(decision.steps, "ran, but redis-server is still not on PATH");
}

async function isAgreed(
  { needsYes, steps }: InstallDecision & { kind: "install" },
  { ask }: ObtainRedisServerOptions,
): Promise<boolean> {
  return !needsYes || (await ask(`no redis-server on PATH; install it now with \`${describeInstall(steps)}\`?`));
}

/** Runs the steps; a failing `before` or `after` is not fatal, as what counts is the server being there. */
async function runSteps(steps: InstallSteps, options: ObtainRedisServerOptions): Promise<void> {
  const run = async (command: InstallCommand): Promise<boolean> => {
    options.say(`running: ${describeCommand(command)}`);
    return (await (options.run ?? ((it) => runInTerminal(it, options.interactive)))(command)) === 0;
  };
  options.say("no redis-server on PATH; installing one");
  for (const command of steps.before) await run(command);
  await runFirstSuccess(steps, run);
  for (const command of steps.after) await run(command);
}

async function runFirstSuccess(steps: InstallSteps, run: (command: InstallCommand) => Promise<boolean>): Promise<void> {
  for (const command of steps.alternatives) {
    if (await run(command)) return;
  }
  throw installFailure(steps, "failed");
}

function installFailure(steps: InstallSteps, what: string): EmbeddedRedisError {
  const message = `\`${describeInstall(steps)}\` ${what}; install Redis 6.2 or newer, or Valkey, by hand, ${OTHER_WAYS}`;
  return new EmbeddedRedisError("INSTALL_FAILED", message);
}

/** Output goes to standard error: standard output belongs to the result of the fanfold command. */
async function runInTerminal([program = "", ...args]: InstallCommand, interactive: boolean): Promise<number> {
  const child = spawn(program, args, { stdio: [interactive ? "inherit" : "ignore", 2, 2] });
  try {
    const [exitCode]: unknown[] = await once(child, "exit");
    return typeof exitCode === "number" ? exitCode : 1;
  } catch {
    return COMMAND_NOT_FOUND;
  }
}

async function loadInstallHost(env: NodeJS.ProcessEnv, interactive: boolean): Promise<InstallHost> {
  const present = await Promise.all(INSTALL_COMMAND_NAMES.map((name) => findOnPath(name, env)));
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    isInteractive: interactive,
    hasSystemd: existsSync("/run/systemd/system"),
    commands: new Set(INSTALL_COMMAND_NAMES.filter((_, index) => present[index] !== undefined)),
  };
}
