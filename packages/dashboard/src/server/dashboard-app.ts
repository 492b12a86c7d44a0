import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "@fanfold/store";
import express, { type Express, type RequestHandler, Router } from "express";
import { createApiRouter, type FindCaller } from "../api/api-router.ts";
import type { ApiRoute } from "../api/api-route.ts";
import type { DashboardLog } from "./dashboard-log.ts";
import { createBoardGuard } from "./board-guard.ts";
import { createOriginGuard } from "./origin-guard.ts";
import type { QueueBoard } from "./queue-board.ts";

/** Where Bull Board is, below the base path. */
export const BOARD_PATH = "/queues";
/** Where the API is, below the base path. */
export const API_PATH = "/api/v1";
/** Time Redis has to answer before the dashboard counts as not healthy, in ms. */
const HEALTH_DEADLINE_MS = 2_000;
/** Keeps the page from loading a font from the internet, which hangs where there is none. */
const OWN_STYLES_ONLY = "style-src 'self' 'unsafe-inline'";

/** What the app is made of. */
export interface DashboardParts {
  readonly store: Store;
  readonly board: QueueBoard;
  readonly routes: readonly ApiRoute[];
  readonly findCaller: FindCaller;
  /** Called whenever somebody opens a page of the board; must not throw. */
  readonly onPage: () => void;
  readonly log: DashboardLog;
  /** Whether nobody but this machine's users can reach the dashboard. */
  readonly isLocal: boolean;
  /** Path that everything is below: empty, or with a slash at its beginning and none at its end. */
  readonly basePath: string;
}

/** The dashboard's routes: the API, Bull Board behind its guard, and whether all is well. */
export function createDashboardApp(parts: DashboardParts): Express {
  const { store, board, routes, findCaller, onPage, log, isLocal, basePath } = parts;
  const app = express();
  app.disable("x-powered-by");
  app.use(createOriginGuard({ isLocal }, log));
  const site = Router();
  app.use(basePath === "" ? "/" : basePath, site);
  site.get("/", (_req, res) => res.redirect(`${basePath}${BOARD_PATH}`));
  site.get("/healthz", async (_req, res) => {
    if (await answers(store)) res.json({ status: "ok" });
    else res.status(503).json({ status: "unavailable", message: "redis does not answer" });
  });
  site.use(API_PATH, createApiRouter({ routes, findCaller, log }));
  site.use(BOARD_PATH, createBoardGuard(log), watchPages(onPage), board.handler);
  return app;
}

function watchPages(onPage: () => void): RequestHandler {
  return (req, res, next) => {
    if (!/^\/(api|static)\//i.test(req.path)) onPage();
    res.set("Content-Security-Policy", OWN_STYLES_ONLY);
    next();
  };
}

async function answers({ redis }: Store): Promise<boolean> {
  if (redis.status !== "ready") return false;
  const answered = redis.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, sleep(HEALTH_DEADLINE_MS, false, { ref: false })]);
}
