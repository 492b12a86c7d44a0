import express, { type Express, type RequestHandler, Router } from "express";
import { admitTo, createApiRouter } from "../api/api-router.ts";
import type { ApiParts } from "../api/api-parts.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { listApiRoutes } from "../api/api-routes.ts";
import { openApiRoute } from "../api/openapi-route.ts";
import type { DashboardMetrics } from "../metrics/dashboard-metrics.ts";
import { createBoardGuard } from "./board-guard.ts";
import { createHealthRoutes } from "./health-routes.ts";
import { createOriginGuard } from "./origin-guard.ts";
import { boardHeaders, ownHeaders } from "./page-headers.ts";
import type { QueueBoard } from "./queue-board.ts";
import { createWebPage } from "./web-page.ts";
import { answerFailure } from "../api/answer-failure.ts";

/** Where Bull Board is, below the base path. */
export const BOARD_PATH = "/queues";
/** Where the API is, below the base path. */
const API_PATH = "/api/v1";

/** What the app is made of. */
export interface DashboardParts {
  readonly api: ApiParts;
  readonly board: QueueBoard;
  readonly metrics: DashboardMetrics;
  /** Called whenever somebody opens a page of the board; must not throw. */
  readonly onPage: () => void;
  /** Whether nobody but this machine's users can reach the dashboard. */
  readonly isLocal: boolean;
  /** Whether the nearest proxy may say what was asked of it. */
  readonly isProxyTrusted: boolean;
  /** Directory of the built web page. */
  readonly webDir: string;
}

/** The dashboard's routes: the page, the API, Bull Board behind its guard, figures, and whether all is well. */
export function createDashboardApp(parts: DashboardParts): Express {
  const { api, board, onPage, isLocal, isProxyTrusted, webDir } = parts;
  const { basePath, log } = api;
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", isProxyTrusted ? 1 : false);
  app.set("query parser", "simple");
  app.use(createOriginGuard({ isLocal }, log));
  const site = Router();
  app.use(basePath === "" ? "/" : basePath, site);
  const headers = boardHeaders();
  site.use(BOARD_PATH, ...headers, admitToBoard(api), createBoardGuard(log), watchPages(onPage), board.handler);
  site.use(ownHeaders());
  site.use(createHealthRoutes(api.engine.store, api.stop));
  site.get("/metrics", showMetrics(parts));
  const routes = listApiRoutes(api);
  routes.push(openApiRoute(routes.slice(), `${basePath}${API_PATH}`));
  site.use(API_PATH, createApiRouter({ routes, findCaller: (req) => api.access.find(req), log }));
  const page = createWebPage(webDir, basePath);
  if (page !== undefined) site.use(page);
  else site.get("/", (_req, res) => res.redirect(`${basePath}${BOARD_PATH}`));
  app.use((req) => {
    throw new ApiFailure("NOT_FOUND", `there is no ${req.method} ${req.path}`);
  });
  app.use(answerFailure(log));
  return app;
}

/** Viewers may look at the queues. A browser without a login is led to the page, where there is one. */
function admitToBoard({ access, basePath }: ApiParts): RequestHandler {
  return (req, res, next) => {
    const caller = access.find(req);
    const isPage = req.method === "GET" && !req.path.startsWith("/api/");
    if (caller === undefined && isPage && req.accepts("text/html") !== false) return res.redirect(`${basePath}/`);
    admitTo(req.method === "GET" || req.method === "HEAD" ? "viewer" : "operator", caller);
    next();
  };
}

function watchPages(onPage: () => void): RequestHandler {
  return (req, _res, next) => {
    if (!/^\/(api|static)\//i.test(req.path)) onPage();
    next();
  };
}

function showMetrics({ api, metrics }: DashboardParts): RequestHandler {
  return async (req, res) => {
    admitTo("viewer", api.access.find(req));
    res.set("Content-Type", metrics.contentType).send(await metrics.read());
  };
}
