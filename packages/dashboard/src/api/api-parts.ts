import type { RunEngine } from "@fanfold/engine";
import type { Access } from "../auth/access.ts";
import type { Pools } from "../live/pools.ts";
import type { RunFeeds } from "../live/run-feed.ts";
import type { RunListFeed } from "../live/run-list-feed.ts";
import type { RunListItems } from "../live/run-list-items.ts";
import type { RunViews } from "../live/run-views.ts";
import type { DashboardLog } from "../server/dashboard-log.ts";

/** What the routes work with. */
export interface ApiParts {
  readonly engine: RunEngine;
  readonly views: RunViews;
  readonly items: RunListItems;
  readonly feeds: RunFeeds;
  readonly listFeed: RunListFeed;
  readonly pools: Pools;
  readonly access: Access;
  readonly log: DashboardLog;
  /** Path that the dashboard is mounted at: empty, or with a slash at its beginning and none at its end. */
  readonly basePath: string;
  /** Aborts when the dashboard stops. */
  readonly stop: AbortSignal;
}
