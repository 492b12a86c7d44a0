import { type RequestHandler, Router } from "express";
import type { DashboardLog } from "./dashboard-log.ts";
import { BOARD_RULES, UNKNOWN_ACTION } from "./board-rules.ts";

/** Methods that only look. */
const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Stands in front of Bull Board: lets through what only looks and what the rules allow, and answers everything
 * else with 409 and the reason, in the form in which Bull Board shows errors to its user.
 */
export function createBoardGuard(log: DashboardLog): Router {
  const guard = Router();
  guard.use((req, _res, next) => next(READS.has(req.method) ? "router" : undefined));
  for (const { method, path, refusal } of BOARD_RULES) {
    guard[method](path, refusal === undefined ? allow : refuse(log, refusal));
  }
  guard.use(refuse(log, UNKNOWN_ACTION));
  return guard;
}

/** Leaves the guard, for what comes after it. */
const allow: RequestHandler = (_req, _res, next) => next("router");

function refuse(log: DashboardLog, refusal: string): RequestHandler {
  return (req, res) => {
    log.info({ method: req.method, path: req.path }, "queue action refused");
    res.status(409).json({ error: "Refused to keep runs whole", message: refusal, code: "ACTION_REFUSED" });
  };
}
