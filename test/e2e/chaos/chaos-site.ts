import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectRedis, FileArtifactStore, openStore, type Store } from "@fanfold/store";
import { CliProcess, startRedis, type TestRedis } from "@fanfold/testkit";
import { CHAOS_WORK } from "./chaos-plan.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const PACKAGE = join(import.meta.dirname.replace(/\/dist$/, ""), "../../../packages/cli");
/** Shards each worker executes at once: three workers could run more than the caps allow. */
const CONCURRENCY = 4;

/** A service that finds no Redis ends, and whoever supervises it starts it again: so often at most. */
const MOST_STARTS = 20;

/** A worker or scheduler and its place, which another one takes when it dies. */
export interface Service {
  readonly kind: "worker" | "scheduler";
  readonly place: number;
  readonly name: string;
  readonly process: CliProcess;
}

/**
 * A Redis with an append-only file, three workers and two schedulers as processes of their own. The last of each kind
 * reaches Redis through a proxy that can be cut. Kept over many seeds: what one leaves behind, the next one meets.
 */
export class ChaosSite {
  readonly dir: string;
  readonly redis: TestRedis;
  readonly proxy: TcpProxy;
  readonly store: Store;
  readonly services: Service[] = [];
  #born = 0;

  private constructor(dir: string, redis: TestRedis, proxy: TcpProxy, store: Store) {
    this.dir = dir;
    this.redis = redis;
    this.proxy = proxy;
    this.store = store;
  }

  static async start(): Promise<ChaosSite> {
    const dir = await mkdtemp(join(tmpdir(), "fanfold-chaos-"));
    await mkdir(join(dir, ".fanfold"));
    await mkdir(join(dir, "node_modules"));
    await symlink(PACKAGE, join(dir, "node_modules/fanfold"));
    await writeFile(join(dir, "chaos-work.mjs"), CHAOS_WORK);
    const redis = await startRedis();
    const proxy = await TcpProxy.start(Number(new URL(redis.url).port));
    const connection = await connectRedis({ socketPath: redis.socketPath });
    const store = openStore(connection, new FileArtifactStore(join(dir, "artifacts")));
    const site = new ChaosSite(dir, redis, proxy, store);
    await Promise.all([
      ...[0, 1].map((place) => site.startService("scheduler", place)),
      ...[0, 1, 2].map((place) => site.startService("worker", place)),
    ]);
    return site;
  }

  /** Starts a service in a place, again and again until Redis lets it; it is listed once it is ready. */
  async startService(kind: Service["kind"], place: number): Promise<Service> {
    this.#born += 1;
    const name = `${kind}-${place}-${this.#born}`;
    const isProxied = place === (kind === "worker" ? 2 : 1);
    const url = isProxied ? `redis://127.0.0.1:${this.proxy.port}` : this.redis.url;
    const own = kind === "worker" ? ["--name", name, "--concurrency", String(CONCURRENCY)] : [];
    const process = await this.#startUntilReady([kind, ...own], url);
    const service = { kind, place, name, process };
    this.services.push(service);
    return service;
  }

  async #startUntilReady(args: readonly string[], url: string): Promise<CliProcess> {
    for (let i = 1; ; i += 1) {
      const process = this.start(args, url);
      try {
        await process.printed(/(worker|scheduler) ready/, { timeoutMs: 60_000 });
        return process;
      } catch (error) {
        process.kill("SIGKILL");
        if (i === MOST_STARTS) throw error;
      }
    }
  }

  /** Kills a service; it is no longer listed. */
  async kill(service: Service): Promise<void> {
    this.services.splice(this.services.indexOf(service), 1);
    service.process.kill("SIGKILL");
    await service.process.ended();
  }

  /** Starts a `fanfold` command in the site's directory. */
  start(args: readonly string[], url = this.redis.url): CliProcess {
    const env = { REDIS_URL: url, FANFOLD_ARTIFACTS: `file:${join(this.dir, "artifacts")}` };
    return CliProcess.start(args, { cwd: this.dir, env });
  }

  async stop(): Promise<void> {
    this.proxy.mend();
    for (const { process } of this.services) process.kill("SIGCONT");
    for (const { process } of this.services) process.kill("SIGTERM");
    await Promise.all(this.services.map(({ process }) => process.ended({ timeoutMs: 45_000 })));
    await this.store.close();
    await this.proxy.stop();
    await this.redis.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}
