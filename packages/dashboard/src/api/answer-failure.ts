import type { ErrorRequestHandler } from "express";
import type { DashboardLog } from "../server/dashboard-log.ts";
import { failureOf } from "./failure-of.ts";

/** Answers what failed, in the one form of errors; an answer that has begun is cut off. */
export function answerFailure(log: DashboardLog): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    const failure = failureOf(error);
    if (failure.status >= 500 && !res.headersSent) {
      log.info({ err: error, method: req.method, path: req.path }, "request failed");
    }
    if (res.headersSent) res.destroy();
    else if (res.closed) next();
    else res.status(failure.status).json(failure.body());
  };
}
