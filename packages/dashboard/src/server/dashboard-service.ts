import { once, setMaxListeners } from "node:events";
import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunEngine } from "@fanfold/engine";
import { listApiRoutes } from "../api/api-routes.ts";
import type { ApiParts } from "../api/api-parts.ts";
import type { Caller } from "../api/api-route.ts";
import { Pools } from "../live/pools.ts";
import { RunFeeds } from "../live/run-feed.ts";
import { RunListFeed } from "../live/run-list-feed.ts";
import { RunListItems } from "../live/run-list-items.ts";
import { RunViews } from "../live/run-views.ts";
import { BOARD_PATH, createDashboardApp } from "./dashboard-app.ts";
import { DashboardError } from "./dashboard-error.ts";
import type { DashboardLog } from "./dashboard-log.ts";
import { QueueBoard } from "./queue-board.ts";

/** The only address that needs no leave: nobody but this machine's users can reach it. */
const SAFE_HOST = "127.0.0.1";
const DEFAULT_PORT = 3_000;
/** Time that requests under way have to end when the service stops, in ms. */
const STOP_GRACE_MS = 2_000;

/** Who asks where nobody has to log in. */
const LOCAL_OPERATOR: Caller = { user: "dashboard", role: "operator" };

/** Where a {@link DashboardService} listens. */
export interface DashboardSettings {
  /** Address to bind; default 127.0.0.1. */
  readonly host?: string;
  /** Default 3000; 0 takes any free port. */
  readonly port?: number;
  /** Allows other addresses than 127.0.0.1. There is no login: whoever reaches the port can retry and pause. */
  readonly isUnsafeAllowed?: boolean;
}

/** A dashboard: the queues of a deployment in Bull Board, without the actions that would break a run. */
export class DashboardService {
  readonly #engine: RunEngine;
  readonly #settings: Required<DashboardSettings>;
  readonly #log: DashboardLog;
  readonly #stop = new AbortController();
  readonly #board: QueueBoard;
  #server: Server | undefined;
  #stopping: Promise<void> | undefined;

  constructor(engine: RunEngine, settings: DashboardSettings, log: DashboardLog) {
    this.#engine = engine;
    this.#settings = { host: SAFE_HOST, port: DEFAULT_PORT, isUnsafeAllowed: false, ...settings };
    this.#log = log;
    this.#board = new QueueBoard(engine.store, BOARD_PATH);
    setMaxListeners(0, this.#stop.signal); // one for each open stream
  }

  /**
   * Looks for the queues and begins to listen.
   *
   * @throws {DashboardError} UNSAFE_HOST, ADDRESS_UNUSABLE
   */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    this.#checkHost();
    await this.refresh();
    const app = createDashboardApp({
      routes: listApiRoutes(this.#apiParts()),
      findCaller: () => LOCAL_OPERATOR,
      basePath: "",
      store: this.#engine.store,
      board: this.#board,
      onPage: () => this.#refreshLater(),
      log: this.#log,
      isLocal: this.#settings.host === SAFE_HOST,
    });
    this.#server = await this.#listen(createServer(app));
    this.#log.info({ url: this.url }, "dashboard ready");
  }

  /** Address for a browser. @throws {Error} before the service has started */
  get url(): string {
    const address = this.#server?.address() ?? null;
    if (address === null || typeof address === "string") throw new Error("the dashboard is not listening");
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
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

  #apiParts(): ApiParts {
    const engine = this.#engine;
    const views = new RunViews(engine);
    const items = new RunListItems(engine, views);
    const log = this.#log;
    return {
      engine,
      views,
      items,
      feeds: new RunFeeds(engine.store),
      listFeed: new RunListFeed(engine.store, items, log),
      pools: new Pools(engine.store, this.#stop.signal),
      log,
      basePath: "",
      stop: this.#stop.signal,
    };
  }

  #checkHost(): void {
    const { host, isUnsafeAllowed } = this.#settings;
    if (host === SAFE_HOST || isUnsafeAllowed) return;
    const why = "the dashboard has no login, so whoever reaches it could pause queues and retry jobs";
    const how = `leave --host at ${SAFE_HOST}, or set FANFOLD_DASHBOARD_UNSAFE=1 if the network is closed to others`;
    throw new DashboardError("UNSAFE_HOST", `will not listen on ${host}: ${why}; ${how}`);
  }

  async #listen(server: Server): Promise<Server> {
    const { host, port } = this.#settings;
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
