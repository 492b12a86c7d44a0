import type { Role } from "@fanfold/schemas";
import express, { type Request, Router } from "express";
import type { DashboardLog } from "../server/dashboard-log.ts";
import { answerFailure } from "./answer-failure.ts";
import { ApiFailure } from "./api-failure.ts";
import type { ApiRoute, Caller } from "./api-route.ts";

/** Most bytes of a request's body: a plan with its records written into it. */
const MAX_BODY = "8mb";

/** Says who makes a request; undefined for somebody who has not said. */
export type FindCaller = (req: Request) => Caller | undefined;

/** What the API is made of. */
export interface ApiSettings {
  readonly routes: readonly ApiRoute[];
  readonly findCaller: FindCaller;
  readonly log: DashboardLog;
}

/** The API: every route behind the question who may use it, and one place that answers what fails. */
export function createApiRouter({ routes, findCaller, log }: ApiSettings): Router {
  const router = Router();
  router.use((_req, res, next) => {
    res.set("Cache-Control", "no-store");
    next();
  });
  router.use(express.json({ limit: MAX_BODY }));
  for (const route of routes) {
    router[route.method](route.path, ...route.before, async (req, res) => {
      await route.run({ req, res }, admit(route, findCaller(req)));
    });
  }
  router.use((req) => {
    throw new ApiFailure("NOT_FOUND", `there is no ${req.method} ${req.path}`, {
      nextAction: "see /api/v1/openapi.json",
    });
  });
  router.use(answerFailure(log));
  return router;
}

function admit(route: ApiRoute, caller: Caller | undefined): Caller {
  if (route.access === "open") return caller ?? NOBODY;
  return admitTo(route.method === "get" || route.access === "viewer" ? "viewer" : "operator", caller);
}

const NOBODY: Caller = { user: "", role: "viewer" };

/** Lets somebody through who has a role. @throws {ApiFailure} LOGIN_NEEDED, FORBIDDEN */
export function admitTo(needed: Role, caller: Caller | undefined): Caller {
  if (caller === undefined) throw new ApiFailure("LOGIN_NEEDED", "log in first, or send a bearer token");
  if (needed === "viewer" || caller.role === "operator") return caller;
  const nextAction = "ask somebody who is an operator";
  throw new ApiFailure("FORBIDDEN", `${caller.user} may look, and only an operator may change runs`, { nextAction });
}
