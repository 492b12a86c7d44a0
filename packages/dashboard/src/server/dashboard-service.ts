import { once, setMaxListeners } from "node:events";
import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunEngine } from "@fanfold/engine";
import type { ApiParts } from "../api/api-parts.ts";
import { Access } from "../auth/access.ts";
import { Pools } from "../live/pools.ts";
import { RunFeeds } from "../live/run-feed.ts";
import { RunListFeed } from "../live/run-list-feed.ts";
import { RunListItems } from "../live/run-list-items.ts";
import { RunViews } from "../live/run-views.ts";
import { DashboardMetrics } from "../metrics/dashboard-metrics.ts";
import { WEB_ROOT } from "../web-root.ts";
import { BOARD_PATH, createDashboardApp } from "./dashboard-app.ts";
import { DashboardError } from "./dashboard-error.ts";
import type { DashboardLog } from "./dashboard-log.ts";
import { QueueBoard } from "./queue-board.ts";

/** The only address that needs no leave: nobody but this machine's users can reach it. */
const SAFE_HOST = "127.0.0.1";
const DEFAULT_PORT = 3_000;
/** Time that requests under way have to end when the service stops, in ms. */
const STOP_GRACE_MS = 2_000;

/** Where a {@link DashboardService} listens. */
export interface DashboardSettings {
  /** Address to bind; default 127.0.0.1. */
  readonly host?: string;
  /** Default 3000; 0 takes any free port. */
  readonly port?: number;
  /** Allows other addresses than 127.0.0.1 without users: whoever reaches the port can do everything. */
  readonly isUnsafeAllowed?: boolean;
  /** Users that may log in: `name:role:hash`, apart by semicolons or lines. */
  readonly users?: string;
  /** Tokens of scripts: `name:role:token`, likewise. */
  readonly tokens?: string;
  /** Key that sessions are signed with; a random one by default, and then a restart ends all sessions. */
  readonly sessionKey?: string;
  /** Path that everything is below, such as `/fanfold`; none by default. */
  readonly basePath?: string;
  /** Whether `X-Forwarded-…` of the nearest proxy counts. */
  readonly isProxyTrusted?: boolean;
  /** Directory of the built web page. */
  readonly webDir?: string;
}

/** A dashboard: the web page, its API and its streams, and the queues without the actions that would break a run. */
export class DashboardService {
  readonly #settings: DashboardSettings;
  readonly #host: string;
  readonly #port: number;
  readonly #log: DashboardLog;
  readonly #stop = new AbortController();
  readonly #api: ApiParts;
  readonly #board: QueueBoard;
  readonly #metrics: DashboardMetrics;
  #server: Server | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws {DashboardError} BAD_USERS, BAD_BASE_PATH */
  constructor(engine: RunEngine, settings: DashboardSettings, log: DashboardLog) {
    this.#settings = settings;
    this.#host = settings.host ?? SAFE_HOST;
    this.#port = settings.port ?? DEFAULT_PORT;
    this.#log = log;
    setMaxListeners(0, this.#stop.signal); // one for each open stream
    this.#api = apiParts(engine, settings, { log, stop: this.#stop.signal });
    this.#board = new QueueBoard(engine.store, `${this.#api.basePath}${BOARD_PATH}`, this.#api.basePath);
    this.#metrics = new DashboardMetrics(engine.store, this.#api.pools);
  }

  /**
   * Looks for the queues and begins to listen.
   *
   * @throws {DashboardError} UNSAFE_HOST, ADDRESS_UNUSABLE
   */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    this.#checkHost();
    await Promise.all([this.refresh(), this.#metrics.start()]);
    const app = createDashboardApp({
      api: this.#api,
      board: this.#board,
      metrics: this.#metrics,
      onPage: () => this.#refreshLater(),
      isLocal: this.#isLocal,
      isProxyTrusted: this.#settings.isProxyTrusted ?? false,
      webDir: this.#settings.webDir ?? WEB_ROOT,
    });
    this.#server = await this.#listen(createServer(app));
    this.#log.info({ url: this.url }, "dashboard ready");
  }

  /** Address for a browser. @throws {Error} before the service has started */
  get url(): string {
    const address = this.#server?.address() ?? null;
    if (address === null || typeof address === "string") throw new Error("the dashboard is not listening");
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}${this.#api.basePath}`;
  }

  /** Shows the queues of pools that have come up since; opening a page of the board does so as well. */
  refresh(): Promise<void> {
    return this.#board.refresh({ signal: this.#stop.signal });
  }

  /** Accepts nothing new and lets requests under way end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  /** Whether nobody but this machine's users can reach the dashboard. Through a proxy others can. */
  get #isLocal(): boolean {
    return this.#host === SAFE_HOST && this.#settings.isProxyTrusted !== true;
  }

  #checkHost(): void {
    if (this.#isLocal || this.#api.access.isLoginNeeded || this.#settings.isUnsafeAllowed === true) return;
    const where = this.#host === SAFE_HOST ? "behind a proxy" : `on ${this.#host}`;
    const why = "nobody has to log in, so whoever reaches it could submit plans and change runs";
    const how = `leave --host at ${SAFE_HOST}, name users in FANFOLD_USERS (see \`fanfold user hash\`)`;
    const last = "or set FANFOLD_DASHBOARD_UNSAFE=1 if the network is closed to others";
    throw new DashboardError("UNSAFE_HOST", `will not listen ${where}: ${why}; ${how}, ${last}`);
  }

  async #listen(server: Server): Promise<Server> {
    const [host, port] = [this.#host, this.#port];
    try {
      server.listen({ host, port });
      await once(server, "listening");
      return server;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new DashboardError("ADDRESS_UNUSABLE", `cannot listen on ${host}:${port} (${why}); choose another --port`, {
        cause,
      });
    }
  }

  #refreshLater(): void {
    this.refresh().catch((err: unknown) => this.#log.debug({ err }, "queues could not be listed"));
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    const server = this.#server;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    await Promise.race([closed, sleep(STOP_GRACE_MS, undefined, { ref: false })]);
    server.closeAllConnections();
    await closed;
    this.#log.info("dashboard stopped");
  }
}

interface ServiceParts {
  readonly log: DashboardLog;
  readonly stop: AbortSignal;
}

function apiParts(engine: RunEngine, settings: DashboardSettings, { log, stop }: ServiceParts): ApiParts {
  const basePath = checkBasePath(settings.basePath ?? "");
  const views = new RunViews(engine);
  const items = new RunListItems(engine, views);
  const { users = "", tokens = "", sessionKey } = settings;
  return {
    engine,
    views,
    items,
    feeds: new RunFeeds(engine.store),
    listFeed: new RunListFeed(engine.store, items, log),
    pools: new Pools(engine.store, stop),
    access: new Access({ users, tokens, basePath, ...(sessionKey === undefined ? {} : { sessionKey }) }),
    log,
    basePath,
    stop,
  };
}

function checkBasePath(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "" || /^(\/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+$/.test(trimmed)) return trimmed;
  throw new DashboardError("BAD_BASE_PATH", `base path ${JSON.stringify(path)}: write it like /fanfold`);
}
