import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type JournalLine, JournalLineSchema } from "@fanfold/schemas";
import type { RunDocument } from "@fanfold/core";
import {
  type CliExit,
  CliProcess,
  eventually,
  findProcessesOf,
  type FoundProcess,
  startRedis,
  type TestRedis,
} from "@fanfold/testkit";
import type { TestContext } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
/** Time services get to stop, and what they started to be gone, in ms. */
const STOP_MS = 10_000;
const GONE_MS = 5_000;

type Env = Readonly<Record<string, string>>;

/** A project directory, with the `fanfold` package installed in it, and commands run there. */
export class Workspace {
  readonly dir: string;
  readonly #site: Site;
  readonly #env: Env;

  constructor(site: Site, dir: string, env: Env) {
    this.dir = dir;
    this.#site = site;
    this.#env = env;
  }

  /** The same directory, with more in the environment of what is started. */
  with(env: Env): Workspace {
    return new Workspace(this.#site, this.dir, { ...this.#env, ...env });
  }

  /** A directory inside of it, where what is started works. */
  inside(path: string): Workspace {
    return new Workspace(this.#site, join(this.dir, path), this.#env);
  }

  /** Starts a `fanfold` command. */
  start(...args: string[]): CliProcess {
    return this.#site.track(CliProcess.start(args, { cwd: this.dir, env: this.#env }));
  }

  /** Starts a script of the workspace. */
  startScript(file: string): CliProcess {
    return this.#site.track(CliProcess.spawn([file], { cwd: this.dir, env: this.#env }));
  }

  /** Runs a `fanfold` command to its end. */
  run(...args: string[]): Promise<CliExit> {
    return this.start(...args).ended();
  }

  /** Runs a `fanfold` command that must end with 0. @returns its standard output */
  async read(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`fanfold ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** A run as `status --json` tells it. */
  async status(run = "@latest"): Promise<RunDocument> {
    return parseRun(await this.read("status", run, "--json"));
  }

  /** A run's journal as `events --json` tells it. */
  async journal(run = "@latest"): Promise<JournalLine[]> {
    return parseJournal(await this.read("events", run, "--json"));
  }

  /** Writes a file: text as it is, anything else as JSON. */
  async write(file: string, content: unknown): Promise<void> {
    const path = join(this.dir, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  }

  /** Waits for a file that something writes, until it has content. */
  waitForFile(file: string): Promise<string> {
    const read = async (): Promise<string> => {
      const text = await readFile(join(this.dir, file), "utf8");
      if (text.trim() === "") throw new Error(`${file} is empty`);
      return text;
    };
    return eventually(read, { timeoutMs: 25_000 });
  }

  /** Copies an example of the repository. */
  async copyExample(name: string): Promise<void> {
    await cp(join(ROOT, "examples", name), join(this.dir, "examples", name), { recursive: true });
  }

  /** Processes that run in this directory now. */
  processes(): Promise<FoundProcess[]> {
    return findProcessesOf(this.dir);
  }
}

/** Where one test takes place: its directories, its processes, and the check that none of them is left. */
export class Site {
  readonly root: string;
  readonly #processes: CliProcess[] = [];
  readonly #redis: TestRedis[] = [];

  private constructor(root: string) {
    this.root = root;
  }

  /** @param context of the test, at whose end everything is stopped, checked and removed */
  static async create({ onTestFinished }: TestContext): Promise<Site> {
    const site = new Site(await realpath(await mkdtemp(join(tmpdir(), "fanfold-e2e-"))));
    onTestFinished(() => site.#dispose(), STOP_MS + GONE_MS + 5_000);
    return site;
  }

  async workspace(name: string, env: Env = {}): Promise<Workspace> {
    const dir = join(this.root, name);
    await mkdir(join(dir, ".fanfold"), { recursive: true });
    await mkdir(join(dir, "node_modules"));
    await symlink(join(ROOT, "packages/cli"), join(dir, "node_modules/fanfold"));
    return new Workspace(this, dir, { ...env, FANFOLD_TEST_SITE: this.root });
  }

  async redis(): Promise<TestRedis> {
    const redis = await startRedis();
    this.#redis.push(redis);
    return redis;
  }

  /** Has a process stopped at the end of the test, if it still runs then. */
  track(started: CliProcess): CliProcess {
    this.#processes.push(started);
    return started;
  }

  async #dispose(): Promise<void> {
    const open = this.#processes.filter(({ hasEnded }) => !hasEnded);
    for (const started of open) started.kill("SIGTERM");
    const stops = await Promise.allSettled(open.map((started) => started.ended({ timeoutMs: STOP_MS })));
    const left = await this.#leftovers();
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    for (const redis of this.#redis) await redis.stop();
    await rm(this.root, { recursive: true, force: true });
    for (const stop of stops) if (stop.status === "rejected") throw stop.reason;
    if (left.length > 0)
      throw new Error(`left behind: ${left.map(({ pid, command }) => `${pid} ${command}`).join(", ")}`);
  }

  async #leftovers(): Promise<FoundProcess[]> {
    let left: FoundProcess[] = [];
    const areGone = async (): Promise<boolean> => (left = await findProcessesOf(this.root)).length === 0;
    await eventually(areGone, { timeoutMs: GONE_MS, everyMs: 50 }).catch(() => undefined);
    return left;
  }
}

/** How the worker of a deployment is started. */
export interface WorkerOptions {
  readonly concurrency?: number;
  readonly pool?: string;
  readonly flags?: readonly string[];
}

/** A scheduler and workers as processes of their own, which share only Redis and an artifact directory. */
export class RemoteDeployment {
  /** Where commands are typed; no worker works in it. */
  readonly desk: Workspace;
  readonly redis: TestRedis;
  readonly #site: Site;
  readonly #env: Env;

  private constructor(site: Site, desk: Workspace, redis: TestRedis, env: Env) {
    this.#site = site;
    this.desk = desk;
    this.redis = redis;
    this.#env = env;
  }

  static async create(context: TestContext): Promise<RemoteDeployment> {
    const site = await Site.create(context);
    const redis = await site.redis();
    const env = { REDIS_URL: redis.url, FANFOLD_ARTIFACTS: `file:${join(site.root, "artifacts")}` };
    return new RemoteDeployment(site, await site.workspace("desk", env), redis, env);
  }

  workspace(name: string): Promise<Workspace> {
    return this.#site.workspace(name, this.#env);
  }

  async startScheduler(): Promise<CliProcess> {
    const scheduler = this.desk.start("scheduler");
    await scheduler.printed(/scheduler ready/);
    return scheduler;
  }

  /** Starts a worker, named after its workspace, and waits until it takes jobs. */
  async startWorker(
    workspace: Workspace,
    { concurrency = 1, pool, flags = [] }: WorkerOptions = {},
  ): Promise<CliProcess> {
    const name = workspace.dir.slice(workspace.dir.lastIndexOf("/") + 1);
    const pools = pool === undefined ? [] : ["--pool", pool];
    const worker = workspace.start("worker", "--name", name, "--concurrency", String(concurrency), ...pools, ...flags);
    await worker.printed(/worker ready/);
    return worker;
  }
}

/** A test in a project directory of its own. */
export function inWorkspace(
  body: (workspace: Workspace, context: TestContext) => Promise<void>,
): (context: TestContext) => Promise<void> {
  return async (context) => body(await (await Site.create(context)).workspace("project"), context);
}

/** A test with a Redis and an artifact directory of its own, for services it starts. */
export function inDeployment(
  body: (deployment: RemoteDeployment, context: TestContext) => Promise<void>,
): (context: TestContext) => Promise<void> {
  return async (context) => body(await RemoteDeployment.create(context), context);
}

/** What `--json` printed about a run. */
export function parseRun(text: string): RunDocument {
  return JSON.parse(text);
}

/** Lines of `events --json`, each checked against the schema. */
export function parseJournal(text: string): JournalLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JournalLineSchema.parse(JSON.parse(line)));
}

/** Name of the worker that an event tells of; empty when it tells of none. */
export function workerOf({ data }: JournalLine): string {
  return typeof data.worker === "string" ? data.worker : "";
}

/** Lower-case hex sha256 of some bytes. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
