import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "@fanfold/store";
import express, { type Express, type RequestHandler } from "express";
import type { DashboardLog } from "./dashboard-log.ts";
import { createBoardGuard } from "./board-guard.ts";
import { createOriginGuard } from "./origin-guard.ts";
import type { QueueBoard } from "./queue-board.ts";

/** Where Bull Board is. */
export const BOARD_PATH = "/queues";
/** Time Redis has to answer before the dashboard counts as not healthy, in ms. */
const HEALTH_DEADLINE_MS = 2_000;
/** Keeps the page from loading a font from the internet, which hangs where there is none. */
const OWN_STYLES_ONLY = "style-src 'self' 'unsafe-inline'";

/** What the app is made of. */
export interface DashboardParts {
  readonly store: Store;
  readonly board: QueueBoard;
  /** Called whenever somebody opens a page of the board; must not throw. */
  readonly onPage: () => void;
  readonly log: DashboardLog;
  /** Whether nobody but this machine's users can reach the dashboard. */
  readonly isLocal: boolean;
}

/** The dashboard's routes: `/queues` is Bull Board behind its guard, `/healthz` says whether Redis answers. */
export function createDashboardApp({ store, board, onPage, log, isLocal }: DashboardParts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use(createOriginGuard({ isLocal }, log));
  app.get("/", (_req, res) => res.redirect(BOARD_PATH));
  app.get("/healthz", async (_req, res) => {
    if (await answers(store)) res.json({ status: "ok" });
    else res.status(503).json({ status: "unavailable", message: "redis does not answer" });
  });
  app.use(BOARD_PATH, createBoardGuard(log), watchPages(onPage), board.handler);
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
